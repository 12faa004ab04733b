import { request as httpRequest, type Server } from 'node:http';
import { type AddressInfo, connect } from 'node:net';
import { gzipSync } from 'node:zlib';
import { afterEach, describe, expect, test } from 'vitest';
import { OtlpDecodeError } from '../otlp/decode/error.ts';
import type { OtlpEncoding, OtlpRequest, OtlpSignal } from '../otlp/records.ts';
import { type Batch, createReceiver, type ReceiverHost } from './receiver.ts';
import type { RejectReason } from './thread-protocol.ts';

const KIB = 1024;
const LIMITS = { maxSentBytes: 64 * KIB, maxUnpackedBytes: 128 * KIB };
const PROTOBUF = 'application/x-protobuf';
const JSON_TYPE = 'application/json';

interface Seen {
  readonly batches: Batch[];
  readonly rejected: RejectReason[];
  readonly order: string[];
  readonly bodies: { signal: OtlpSignal; encoding: OtlpEncoding; body: Uint8Array }[];
}

const open: Server[] = [];

afterEach(async () => {
  await Promise.all(
    open.splice(0).map((server) => {
      server.closeAllConnections();
      return new Promise((resolve) => server.close(resolve));
    }),
  );
});

async function listen(changes: Partial<ReceiverHost> = {}): Promise<{ port: number; seen: Seen }> {
  const seen: Seen = { batches: [], rejected: [], order: [], bodies: [] };
  const server = createReceiver({
    limits: LIMITS,
    decode: (signal, encoding, body) => {
      seen.bodies.push({ signal, encoding, body });
      return { signal, groups: [] } as OtlpRequest;
    },
    isAdmitted: (token) => token === 'one' || token === 'two',
    isFull: () => false,
    batch: (batch) => {
      seen.batches.push(batch);
      seen.order.push(`batch ${batch.token} ${batch.request.signal}`);
    },
    rejected: (reason) => void seen.rejected.push(reason),
    gone: (token) => void seen.order.push(`gone ${token}`),
    ...changes,
  });
  open.push(server);
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return { port: (server.address() as AddressInfo).port, seen };
}

interface Answer {
  readonly status: number;
  readonly type: string | null;
  readonly body: Buffer;
}

async function post(port: number, path: string, init: RequestInit = {}): Promise<Answer> {
  const response = await fetch(`http://127.0.0.1:${port}${path}`, {
    method: 'POST',
    headers: { 'content-type': JSON_TYPE },
    body: '{}',
    ...init,
  });
  return {
    status: response.status,
    type: response.headers.get('content-type'),
    body: Buffer.from(await response.arrayBuffer()),
  };
}

/** fetch() does not let a caller choose its Host. */
function postWithHost(port: number, host: string): Promise<number> {
  return new Promise((resolve, reject) => {
    const headers = { host, 'content-type': JSON_TYPE };
    httpRequest({ host: '127.0.0.1', port, method: 'POST', path: '/one/v1/traces', headers }, (response) => {
      response.resume();
      resolve(response.statusCode ?? 0);
    })
      .on('error', reject)
      .end('{}');
  });
}

describe('a request that is taken', () => {
  test.each(['traces', 'logs', 'metrics'] as const)(
    '%s in JSON gets an empty ExportServiceResponse in JSON',
    async (signal) => {
      const { port, seen } = await listen();
      expect(await post(port, `/one/v1/${signal}`)).toEqual({ status: 200, type: JSON_TYPE, body: Buffer.from('{}') });
      expect(seen.bodies).toEqual([{ signal, encoding: 'json', body: Buffer.from('{}') }]);
      expect(seen.batches.map((batch) => batch.bytes)).toEqual([2]);
    },
  );

  test('protobuf gets an empty message, which has no bytes', async () => {
    const { port, seen } = await listen();
    const answer = await post(port, '/one/v1/logs', {
      headers: { 'content-type': PROTOBUF },
      body: new Uint8Array([10, 0]),
    });
    expect(answer).toEqual({ status: 200, type: PROTOBUF, body: Buffer.alloc(0) });
    expect(seen.bodies).toEqual([{ signal: 'logs', encoding: 'protobuf', body: Buffer.from([10, 0]) }]);
  });

  test('gzip is unpacked before it is decoded', async () => {
    const { port, seen } = await listen();
    const headers = { 'content-type': JSON_TYPE, 'content-encoding': 'gzip' };
    expect((await post(port, '/one/v1/traces', { headers, body: gzipSync('{"resourceSpans":[]}') })).status).toBe(200);
    expect(seen.bodies.map(({ body }) => Buffer.from(body).toString())).toEqual(['{"resourceSpans":[]}']);
  });

  test('a charset after the content type, and upper case, change nothing', async () => {
    const { port } = await listen();
    expect(
      (await post(port, '/one/v1/traces', { headers: { 'content-type': 'Application/JSON; charset=utf-8' } })).status,
    ).toBe(200);
  });

  test('an Expect header is no obstacle', async () => {
    const { port, seen } = await listen();
    const answer = await new Promise<string>((resolve, reject) => {
      const head = `POST /one/v1/traces HTTP/1.1\r\nHost: 127.0.0.1:${port}\r\nContent-Type: ${JSON_TYPE}\r\nExpect: patience\r\nContent-Length: 2\r\n\r\n{}`;
      const socket = connect(port, '127.0.0.1', () => socket.write(head));
      socket.once('data', (data) => resolve(data.toString('latin1'))).once('error', reject);
    });
    expect(answer).toMatch(/^HTTP\/1\.1 200 /);
    expect(seen.batches).toHaveLength(1);
  });

  test('a body without Content-Length is read to its end', async () => {
    const { port, seen } = await listen();
    const body = new ReadableStream({
      start(controller) {
        for (const part of ['{"resource', 'Spans":', '[]}']) controller.enqueue(Buffer.from(part));
        controller.close();
      },
    });
    expect((await post(port, '/one/v1/traces', { body, duplex: 'half' } as RequestInit)).status).toBe(200);
    expect(Buffer.from(seen.bodies[0]?.body ?? []).toString()).toBe('{"resourceSpans":[]}');
  });

  test('batches of two tokens do not mix', async () => {
    const { port, seen } = await listen();
    await Promise.all([post(port, '/one/v1/traces'), post(port, '/two/v1/logs'), post(port, '/one/v1/metrics')]);
    expect(seen.batches.map(({ token, request }) => `${token} ${request.signal}`).toSorted()).toEqual([
      'one metrics',
      'one traces',
      'two logs',
    ]);
  });
});

describe('a request that is refused', () => {
  const cases: readonly (readonly [string, number, RejectReason, string, RequestInit])[] = [
    ['of an unknown token', 401, 'unknown_token', '/three/v1/traces', {}],
    ['without a token', 404, 'unknown_path', '/v1/traces', {}],
    ['to another path', 404, 'unknown_path', '/one/v1/profiles', {}],
    ['with another method', 405, 'wrong_method', '/one/v1/traces', { method: 'PUT' }],
    [
      'with another content type',
      415,
      'wrong_content_type',
      '/one/v1/traces',
      { headers: { 'content-type': 'text/plain' } },
    ],
    [
      'with another content encoding',
      415,
      'wrong_content_encoding',
      '/one/v1/traces',
      { headers: { 'content-type': JSON_TYPE, 'content-encoding': 'br' } },
    ],
    [
      'that says gzip and is not',
      400,
      'bad_gzip',
      '/one/v1/traces',
      { headers: { 'content-type': JSON_TYPE, 'content-encoding': 'gzip' } },
    ],
    ['larger than the bound', 413, 'too_large', '/one/v1/traces', { body: 'x'.repeat(64 * KIB + 1) }],
  ];

  test.each(cases)('%s gets %i and is counted as %s', async (_name, status, reason, path, init) => {
    const { port, seen } = await listen();
    const answer = await post(port, path, init);
    expect(answer.status).toBe(status);
    expect(answer.type).toBe(JSON_TYPE);
    expect(JSON.parse(answer.body.toString())).toMatchObject({ code: expect.any(Number), message: expect.any(String) });
    expect(seen.rejected).toEqual([reason]);
    expect(seen.batches).toEqual([]);
  });

  test('in protobuf gets a google.rpc.Status', async () => {
    const { port } = await listen();
    const { status, type, body } = await post(port, '/three/v1/traces', { headers: { 'content-type': PROTOBUF } });
    expect([status, type]).toEqual([401, PROTOBUF]);
    // Field 1 (code): 16, UNAUTHENTICATED; field 2 (message): the rest.
    expect([...body.subarray(0, 3)]).toEqual([0x08, 16, 0x12]);
    expect(body[3]).toBe(body.length - 4);
    expect(body.subarray(4).toString()).toBe('the token in the path is not known here');
  });

  test('a gzip bomb is refused at the bound', async () => {
    const { port, seen } = await listen();
    const bomb = gzipSync(Buffer.alloc(32 * KIB * KIB));
    expect(bomb.length).toBeLessThan(LIMITS.maxSentBytes);
    const headers = { 'content-type': JSON_TYPE, 'content-encoding': 'gzip' };
    expect((await post(port, '/one/v1/traces', { headers, body: bomb })).status).toBe(413);
    expect([seen.rejected, seen.bodies]).toEqual([['too_large'], []]);
  });

  test('a body that grows past the bound without having said so is refused', async () => {
    const { port, seen } = await listen();
    const body = new ReadableStream({
      start(controller) {
        for (let part = 0; part < 9; part += 1) controller.enqueue(Buffer.alloc(8 * KIB));
        controller.close();
      },
    });
    expect((await post(port, '/one/v1/traces', { body, duplex: 'half' } as RequestInit)).status).toBe(413);
    expect(seen.rejected).toEqual(['too_large']);
  });

  test('a body that does not decode gets 400, and the next one is taken', async () => {
    let calls = 0;
    const { port, seen } = await listen({
      decode: (signal) => {
        calls += 1;
        if (calls === 1) throw new OtlpDecodeError('truncated', 'cut short');
        return { signal, groups: [] } as OtlpRequest;
      },
    });
    expect((await post(port, '/one/v1/traces')).status).toBe(400);
    expect((await post(port, '/one/v1/traces')).status).toBe(200);
    expect(seen.rejected).toEqual(['malformed']);
  });

  test('a failure of our own is a 500, told apart from bad input', async () => {
    const { port, seen } = await listen({
      decode: () => {
        throw new TypeError('a bug');
      },
    });
    expect((await post(port, '/one/v1/traces')).status).toBe(500);
    expect(seen.rejected).toEqual(['internal']);
  });

  test('nothing is taken while too much waits, and the status is not one that is retried', async () => {
    const { port, seen } = await listen({ isFull: () => true });
    const { status } = await post(port, '/one/v1/traces');
    expect([429, 502, 503, 504]).not.toContain(status);
    expect(seen.rejected).toEqual(['backlog']);
  });

  test.each(['evil.example', 'evil.example:80', '127.0.0.1', 'localhost:1', '127.0.0.1.evil.example'])(
    'Host %s gets 421',
    async (host) => {
      const { port, seen } = await listen();
      expect(await postWithHost(port, host)).toBe(421);
      expect(seen.rejected).toEqual(['wrong_host']);
    },
  );

  test('both names of this address are accepted as Host', async () => {
    const { port } = await listen();
    expect(
      await Promise.all([postWithHost(port, `127.0.0.1:${port}`), postWithHost(port, `localhost:${port}`)]),
    ).toEqual([200, 200]);
  });

  test('what is not HTTP gets 400 and the server lives on', async () => {
    const { port, seen } = await listen();
    const answer = await new Promise<string>((resolve, reject) => {
      const socket = connect(port, '127.0.0.1', () => socket.write('\x16\x03\x01\x00 not http\r\n\r\n'));
      socket.once('data', (data) => resolve(data.toString('latin1'))).once('error', reject);
    });
    expect(answer).toMatch(/^HTTP\/1\.1 400 /);
    expect(seen.rejected).toEqual(['bad_http']);
    expect((await post(port, '/one/v1/traces')).status).toBe(200);
  });
});

describe('the end of a child', () => {
  const head = (token: string, body: string, more = '') =>
    `POST /${token}/v1/traces HTTP/1.1\r\nHost: 127.0.0.1:PORT\r\nContent-Type: ${JSON_TYPE}\r\n${more}Content-Length: ${body.length}\r\n\r\n${body}`;

  /** A client that sends one request, reads the answer, and leaves when told to. */
  async function client(port: number, text: string): Promise<{ leave: () => Promise<void> }> {
    const socket = connect(port, '127.0.0.1');
    socket.write(text.replace('PORT', String(port)));
    await new Promise((resolve, reject) => socket.once('data', resolve).once('error', reject));
    return {
      leave: () =>
        new Promise((resolve) => {
          socket.once('close', () => resolve());
          socket.destroy();
        }),
    };
  }

  test('is told when its last connection has closed, and not before', async () => {
    const { port, seen } = await listen();
    const first = await client(port, head('one', '{}'));
    const second = await client(port, head('one', '{}'));
    const other = await client(port, head('two', '{}'));
    await first.leave();
    // A round trip through the same server: whatever it had to say about the close above has been said.
    await post(port, '/two/v1/logs');
    expect(seen.order).not.toContain('gone one');
    await second.leave();
    await expect.poll(() => seen.order.at(-1)).toBe('gone one');
    expect(seen.order).not.toContain('gone two');
    await other.leave();
  });

  test('comes after its last batch, also when it died before the batch was unpacked', async () => {
    const { port, seen } = await listen();
    const packed = gzipSync('{}').toString('latin1');
    const text = head('one', packed, 'Content-Encoding: gzip\r\n').replace('PORT', String(port));
    const socket = connect(port, '127.0.0.1', () => socket.write(text, 'latin1', () => socket.resetAndDestroy()));
    await expect.poll(() => seen.order.at(-1)).toBe('gone one');
    expect(seen.order.filter((entry) => entry.startsWith('gone'))).toHaveLength(1);
    expect(seen.order.length + seen.rejected.length).toBe(2);
  });

  test('is not guessed of a child that closes each connection itself', async () => {
    const { port, seen } = await listen();
    const short = await client(port, head('one', '{}', 'Connection: close\r\n'));
    await short.leave();
    await post(port, '/two/v1/logs');
    expect(seen.order).toEqual(['batch one traces', 'batch two logs']);
  });

  test('a body cut off by the death of its sender is counted and answered by nothing', async () => {
    const { port, seen } = await listen();
    const text = head('one', '{}').replace('PORT', String(port)).replace('Content-Length: 2', 'Content-Length: 200');
    const socket = connect(port, '127.0.0.1', () => socket.write(text, () => setImmediate(() => socket.destroy())));
    await expect.poll(() => seen.rejected).toEqual(['aborted']);
    expect(seen.batches).toEqual([]);
  });
});
