import { once } from 'node:events';
import { connect, type Socket } from 'node:net';
import { afterEach, describe, expect, test, vi } from 'vitest';
import { passThrough, type RawServer, rawServer, request, TOKEN, type Wire } from './__fixtures__/sockets.ts';
import { readHere } from './read-wire.ts';
import { startWire } from './start-wire.ts';

const answer = (body: string, ...fields: string[]): string =>
  ['HTTP/1.1 200 OK', ...fields, `Content-Length: ${body.length}`, '', body].join('\r\n');
const ends = (end: string) => (text: string) => text.endsWith(end);
const isSecond = (text: string): boolean => text.endsWith('second');
const GET = `GET /${TOKEN}/x HTTP/1.1`;

/** Answers each request as it begins to come, in turn. */
function answers(...replies: readonly string[]): Promise<RawServer> {
  const left = [...replies];
  return rawServer((socket, bytes) => {
    if (/^(POST|GET|HEAD) /.test(bytes.toString('latin1')))
      socket.write(left.shift() ?? answer('nothing is left'), 'latin1');
  });
}

/** Asks a second time on the connection, as if nothing had been odd about the first. */
async function asksAgain(wire: Wire, port: number): Promise<string> {
  wire.socket.write(request(port, { body: '{"again":true}' }));
  return await wire.until(isSecond);
}

describe('an answer is followed by the next, however it tells its length:', () => {
  test.each([
    [
      'a trailer',
      'HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\nTrailer: X\r\n\r\n2\r\nok\r\n0\r\nX: y\r\nZ: w\r\n\r\n',
    ],
    [
      'codings in two lines',
      'HTTP/1.1 200 OK\r\nTransfer-Encoding: gzip\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nok\r\n0\r\n\r\n',
    ],
    [
      'chunks and a length',
      'HTTP/1.1 200 OK\r\nContent-Length: 9\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nok\r\n0\r\n\r\n',
    ],
    ['lengths that differ', 'HTTP/1.1 200 OK\r\nContent-Length: 2\r\nContent-Length: 3\r\n\r\nok'],
    ['a length that is none', 'HTTP/1.1 200 OK\r\nContent-Length: two\r\n\r\nok'],
    ['no length at all', 'HTTP/1.1 200 OK\r\nX: y\r\n\r\nok'],
    ['lines without carriage returns', 'HTTP/1.1 200 OK\nrequest-id: req_1\nContent-Length: 2\n\nok'],
    ['lines that are folded', 'HTTP/1.1 200 OK\r\nX: one\r\n two: three\r\nContent-Length: 2\r\n\r\nok'],
    [
      'interim ones before it',
      `HTTP/1.1 102 Processing\r\n\r\nHTTP/1.1 103 Early Hints\r\nLink: </a>\r\n\r\n${answer('ok')}`,
    ],
    ['a status without a body', 'HTTP/1.1 204 No Content\r\n\r\n'],
    ['a length of what is not sent', 'HTTP/1.1 304 Not Modified\r\nContent-Length: 77\r\n\r\n'],
  ])('%s', async (_, first) => {
    await using api = await answers(first, answer('second'));
    await using pass = await passThrough({ port: api.port });
    const wire = await pass.open(request(pass.port, {}));
    await wire.until((text) => text === first);
    expect(await asksAgain(wire, pass.port)).toBe(`${first}${answer('second')}`);
    expect(api.received()[0]).toMatch(/\r\n\r\n\{\}POST \/v1\/messages\?beta=true HTTP\/1\.1\r\n/);
    expect(pass.ends).toEqual(['complete', 'complete']);
  });

  test('a HEAD', async () => {
    const first = 'HTTP/1.1 200 OK\r\nContent-Length: 500\r\n\r\n';
    await using api = await answers(first, answer('second'));
    await using pass = await passThrough({ port: api.port });
    const wire = await pass.open(request(pass.port, { line: GET.replace('GET', 'HEAD'), body: '' }));
    await wire.until((text) => text === first);
    await asksAgain(wire, pass.port);
    expect(pass.ends).toEqual(['complete', 'complete']);
  });
});

describe('an answer before the end of its request', () => {
  test('is whole, and the connection goes on with the next request', async () => {
    let got = '';
    await using api = await rawServer((socket, bytes) => {
      if (got === '') socket.write(answer('early'));
      got += bytes.toString('latin1');
      if (got.endsWith('{"again":true}')) socket.write(answer('second'));
    });
    await using pass = await passThrough({ port: api.port });
    const whole = request(pass.port, { body: '{"a":"half of it"}' });
    const wire = await pass.open(whole.slice(0, -10));
    await wire.until(ends('early'));
    wire.socket.write(whole.slice(-10));
    await asksAgain(wire, pass.port);
    expect(pass.exchanges).toMatchObject([{ end: 'complete', request: { isComplete: true } }, { end: 'complete' }]);
  });

  test('reaches a client that is still sending, when the upstream says no more', async () => {
    const refusal = 'HTTP/1.1 413 Content Too Large\r\nConnection: close\r\nContent-Length: 3\r\n\r\nbig';
    await using api = await rawServer((socket) => void (socket.writable && socket.end(refusal)));
    await using pass = await passThrough({ port: api.port });
    const errors: unknown[] = [];
    const wire = await pass.open(request(pass.port, { body: 'x'.repeat(3_000_000) }).slice(0, 65_536));
    wire.socket.on('error', (error) => void errors.push(error));
    await wire.until(ends('big'));
    wire.socket.end('x'.repeat(2_000_000));
    await wire.closed;
    expect(wire.text()).toBe(refusal);
    expect(errors).toEqual([]);
    while (pass.ends.length === 0) await new Promise((resolve) => setImmediate(resolve));
    expect(pass.ends).toEqual(['complete']);
  });

  test('with something after it stops nobody else', async () => {
    await using api = await rawServer((socket, bytes) => {
      const isOther = bytes.includes('other');
      socket.write(isOther ? answer('second') : `${answer('early')}and something that nobody asked for`);
    });
    // In a thread of its own: one that turns in circles would take this test with it.
    const wire = startWire({ reader: readHere });
    try {
      await wire.ready();
      const upstream = { host: '127.0.0.1', port: api.port, isTls: false, basePath: '' };
      const url = new URL(wire.register({ upstream, exchange: () => undefined }).baseUrl() ?? '');
      const asking = (body: string): string =>
        request(Number(url.port), { line: `POST ${url.pathname}/v1/messages HTTP/1.1`, body });
      const [first, other] = await Promise.all([opened(url), opened(url)]);
      first.write(asking('0123456789').slice(0, -5));
      await heard(first, ends('asked for'));
      other.write(asking('other'));
      expect(await heard(other, isSecond)).toBe(answer('second'));
    } finally {
      await wire.close();
    }
  });
});

async function opened(url: URL): Promise<Socket> {
  const socket = connect(Number(url.port), '127.0.0.1');
  await once(socket, 'connect');
  return socket;
}

async function heard(socket: Socket, isMet: (text: string) => boolean): Promise<string> {
  let text = '';
  for await (const bytes of socket.iterator({ destroyOnReturn: false })) {
    text += String(bytes);
    if (isMet(text)) break;
  }
  return text;
}

describe('what comes before the answer to a request', () => {
  test('waits for its turn, though the client has said that it is the last', async () => {
    let asked = 0;
    await using api = await rawServer((socket) => {
      const own = ++asked === 1 ? 'first' : 'second';
      setTimeout(() => (own === 'first' ? socket.write(answer(own)) : socket.end(answer(own))), 20);
    });
    await using pass = await passThrough({ port: api.port });
    const wire = await pass.open(request(pass.port, {}) + request(pass.port, {}));
    wire.socket.end();
    await wire.closed;
    expect(wire.text()).toBe(answer('first') + answer('second'));
    expect(pass.ends).toEqual(['complete', 'complete']);
  });

  test('follows an upgrade', async () => {
    await using api = await rawServer((socket, bytes) => {
      const isUpgrade = bytes.includes('Upgrade: x');
      if (isUpgrade) setTimeout(() => socket.write('HTTP/1.1 101 Switching Protocols\r\n\r\n'), 20);
      else socket.write(`echo of ${bytes.toString()}`);
    });
    await using pass = await passThrough({ port: api.port });
    const head = request(pass.port, { line: GET, fields: ['Connection: Upgrade', 'Upgrade: x'], body: '' });
    const wire = await pass.open(head, 'early bird');
    await wire.until(ends('echo of early bird'));
    wire.socket.write('late bird');
    await wire.until(ends('echo of late bird'));
    expect(pass.ends).toEqual(['complete']);
  });

  test('may be an empty line', async () => {
    await using api = await answers(answer('first'), answer('second'));
    await using pass = await passThrough({ port: api.port });
    const wire = await pass.open(`\r\n${request(pass.port, {})}`);
    await wire.until(ends('first'));
    wire.socket.write('\r\n');
    expect(await asksAgain(wire, pass.port)).toBe(answer('first') + answer('second'));
  });
});

describe('a request of which two could think differently where it ends gets nowhere:', () => {
  const hidden = 'POST /secret HTTP/1.1\r\nx-api-key: sk-ant-canary\r\n\r\n';
  test.each([
    ['lengths that differ', 'Content-Length: 5\r\nContent-Length: 2', '{}abc'],
    ['chunks and a length', 'Content-Length: 5\r\nTransfer-Encoding: chunked', '0\r\n\r\n'],
    ['chunks in chunks', 'Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked', '0\r\n\r\n'],
    ['almost chunks', 'Transfer-Encoding: xchunked', '0\r\n\r\n'],
    ['a signed length', 'Content-Length: +2', '{}'],
    ['a hexadecimal length', 'Content-Length: 0x2', '{}'],
    ['a space before the colon', 'Content-Length : 2', '{}'],
    ['a line that goes on', 'X: a\r\n\tContent-Length: 2', '{}'],
    ['a line feed in a field', 'X: a\nContent-Length: 2', '{}'],
    ['a carriage return in a field', 'X: a\rContent-Length: 2', '{}'],
    ['a NUL in a field', 'X: a\0', ''],
  ])('%s', async (_, fields, body) => {
    await using api = await answers(answer('passed'));
    await using pass = await passThrough({ port: api.port });
    const host = `Host: 127.0.0.1:${pass.port}`;
    const wire = await pass.open(`POST /${TOKEN}/v1/messages HTTP/1.1\r\n${host}\r\n${fields}\r\n\r\n${body}${hidden}`);
    await wire.closed;
    expect(wire.text()).toMatch(/^HTTP\/1.1 400 /);
    expect(api.sockets).toHaveLength(0);
    expect(pass.exchanges).toEqual([]);
  });

  test('but not one that says the same twice', async () => {
    await using api = await answers(answer('second'));
    await using pass = await passThrough({ port: api.port });
    const wire = await pass.open(request(pass.port, { fields: ['Content-Length: 2'] }));
    expect(await wire.until(isSecond)).toBe(answer('second'));
  });
});

describe('an upstream that resets its connection in the middle of an answer', () => {
  test.each([
    ['with chunks', 'Transfer-Encoding: chunked', '4\r\nhalf\r\n', undefined],
    ['that only its end would have ended: an error tells the client so', 'X: y', 'half', 'ECONNRESET'],
  ])('%s', async (_, field, body, code) => {
    await using api = await rawServer((socket) => {
      socket.write(`HTTP/1.1 200 OK\r\n${field}\r\n\r\n${body}`);
      setTimeout(() => socket.resetAndDestroy(), 20);
    });
    await using pass = await passThrough({ port: api.port });
    let failure: string | undefined;
    const wire = await pass.open();
    wire.socket.on('error', (error: NodeJS.ErrnoException) => {
      failure = error.code;
    });
    wire.socket.write(request(pass.port, {}));
    await wire.closed;
    expect(wire.text()).toBe(`HTTP/1.1 200 OK\r\n${field}\r\n\r\n${body}`);
    expect(failure).toBe(code);
    expect(pass.exchanges).toMatchObject([{ end: 'cut', failure: 'ECONNRESET' }]);
  });
});

describe('a client in no hurry', () => {
  afterEach(() => void vi.useRealTimers());

  test('has a minute for its first head, in all; then as long as it likes', async () => {
    vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] });
    await using api = await answers(answer('second'));
    await using pass = await passThrough({ port: api.port });
    const whole = request(pass.port, { body: '{"a":1}' });
    const [slow, known] = [await pass.open(whole.slice(0, 5)), await pass.open(whole.slice(0, -3))];
    while (api.sockets.length === 0) await new Promise((resolve) => setImmediate(resolve));
    vi.advanceTimersByTime(40_000);
    slow.socket.write(whole.slice(5, 10));
    await new Promise((resolve) => setImmediate(resolve));
    vi.advanceTimersByTime(30_000);
    await slow.closed;
    expect(slow.text()).toBe('');
    known.socket.write(whole.slice(-3));
    await known.until(isSecond);
  });
});

test('no more is taken from one side than the other side takes', async () => {
  const large = Buffer.alloc(48 * 1024 * 1024, 'x');
  await using api = await rawServer((socket, bytes) => {
    if (bytes.includes('large')) socket.write(`HTTP/1.1 200 OK\r\nContent-Length: ${large.length}\r\n\r\n`);
    if (bytes.includes('large')) socket.write(large);
    else if (socket.bytesRead < 1_000_000) socket.pause();
  });
  await using pass = await passThrough({ port: api.port });
  const [reads, sends] = [await pass.open(), await pass.open()];
  reads.socket.pause();
  reads.socket.write(request(pass.port, { body: 'large' }));
  sends.socket.write(request(pass.port, { body: 'y'.repeat(large.length) }));
  // Long enough for whoever would take it all.
  await new Promise((resolve) => setTimeout(resolve, 300));
  expect(api.sockets[0]?.writableLength).toBeGreaterThan(0);
  expect(sends.socket.writableLength).toBeGreaterThan(0);
  reads.socket.resume();
  api.sockets[1]?.resume();
  await reads.until((text) => text.length > large.length);
  expect(api.sockets[0]?.writableLength).toBe(0);
});
