import { describe, expect, test } from 'vitest';
import { passThrough, rawServer, request, TOKEN } from './__fixtures__/sockets.ts';

const answer = (body: string, ...fields: string[]): string =>
  ['HTTP/1.1 200 OK', ...fields, `Content-Length: ${body.length}`, '', body].join('\r\n');
const isWhole = (body: string) => (text: string) => text.endsWith(body);
const bodyOf = (body: Uint8Array | undefined): string => Buffer.from(body ?? []).toString('latin1');

describe('bytes', () => {
  test('pass as they are but for the target and the host, both ways', async () => {
    const reply = answer('{"id":"msg_1"}', 'X-Odd:  spaced ', 'request-id: req_1', 'Set-Cookie: a=\xe9');
    await using api = await rawServer((socket) => void socket.write(reply, 'latin1'));
    await using pass = await passThrough({ port: api.port, basePath: '/gateway' });
    const fields = ['x-API-key: sk-ant-dummy', 'Accept-Encoding:gzip', 'X-Latin: \xfc'];
    const wire = await pass.open(request(pass.port, { fields, body: '{"a":"\xc3\xa4"}' }));
    expect(await wire.until(isWhole('}'))).toBe(reply);
    expect(api.received()).toEqual([
      [
        'POST /gateway/v1/messages?beta=true HTTP/1.1',
        `host: 127.0.0.1:${api.port}`,
        ...fields,
        'Content-Length: 10',
        '',
        '{"a":"\xc3\xa4"}',
      ].join('\r\n'),
    ]);
    expect(pass.exchanges).toMatchObject([{ end: 'complete', answer: { status: 200, requestId: 'req_1' } }]);
    expect(bodyOf(pass.exchanges[0]?.request.body)).toBe('{"a":"\xc3\xa4"}');
  });

  test('pass byte by byte too, wherever they are cut', async () => {
    const body = '5;x=1\r\nhello\r\n6\r\n world\r\n0\r\nX-Trailer: 1\r\n\r\n';
    const reply = `HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n${body}`;
    const sent =
      request(0, { fields: ['Transfer-Encoding: chunked'], body: '' }).replace('Content-Length: 0\r\n', '') + body;
    let got = '';
    await using api = await rawServer((socket, bytes) => {
      got += bytes.toString('latin1');
      if (got.endsWith('\r\n0\r\nX-Trailer: 1\r\n\r\n')) for (const byte of reply) socket.write(byte);
    });
    await using pass = await passThrough({ port: api.port });
    const wire = await pass.open(...sent.replace('127.0.0.1:0', `127.0.0.1:${pass.port}`));
    expect(await wire.until(isWhole(body))).toBe(reply);
    expect(got.slice(got.indexOf('\r\n\r\n') + 4)).toBe(body);
    expect(bodyOf(pass.exchanges[0]?.request.body)).toBe('hello world');
    expect(Buffer.from(pass.exchanges[0]?.answer?.body ?? []).toString()).toBe('hello world');
  });

  test('flow both ways before either side is done', async () => {
    await using api = await rawServer((socket, bytes) => {
      if (bytes.includes('first')) socket.write('HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nearly');
      if (bytes.includes('second')) socket.write('later');
    });
    await using pass = await passThrough({ port: api.port });
    const [head = '', rest = ''] = request(pass.port, { body: 'first second' }).split(' second');
    const wire = await pass.open(head);
    await wire.until(isWhole('early'));
    wire.socket.write(` second${rest}`);
    expect(await wire.until(isWhole('later'))).toMatch(/earlylater$/);
  });

  test('of 8 MB each way stay whole with a client that reads slowly', async () => {
    const large = 'x'.repeat(8 * 1024 * 1024);
    let got = 0;
    await using api = await rawServer((socket, bytes) => {
      got += bytes.length;
      if (got > large.length) socket.write(answer(large));
      if (got > large.length) got = -Infinity;
    });
    await using pass = await passThrough({ port: api.port });
    const wire = await pass.open();
    wire.socket.write(request(pass.port, { body: large }));
    wire.socket.pause();
    await new Promise((resolve) => setTimeout(resolve, 50));
    wire.socket.resume();
    const text = await wire.until((all) => all.length > large.length);
    expect(text).toBe(answer(large));
    expect(pass.exchanges[0]?.answer?.body.length).toBe(large.length);
    expect(bodyOf(pass.exchanges[0]?.request.body)).toBe(large);
  });

  test('after an upgrade, and interim answers, are nobody’s business', async () => {
    await using api = await rawServer((socket, bytes) => {
      if (bytes.includes('expect')) socket.write('HTTP/1.1 100 Continue\r\n\r\n');
      else if (bytes.includes('{}')) socket.write(answer('done'));
      else if (bytes.includes('upgrade')) socket.write('HTTP/1.1 101 Switching Protocols\r\n\r\nraw');
      else socket.write(bytes);
    });
    await using pass = await passThrough({ port: api.port });
    const [head = ''] = request(pass.port, { fields: ['expect: 100-continue'] }).split('{}');
    const wire = await pass.open(head);
    await wire.until(isWhole('Continue\r\n\r\n'));
    wire.socket.write('{}');
    await wire.until(isWhole('done'));
    const upgrade = await pass.open(
      request(pass.port, { line: `GET /${TOKEN}/x HTTP/1.1`, fields: ['upgrade: x'], body: '' }),
    );
    await upgrade.until(isWhole('raw'));
    upgrade.socket.write('echo');
    expect(await upgrade.until(isWhole('echo'))).toContain('rawecho');
  });
});

describe('connections', () => {
  test('are kept, one of the upstream for each of the client', async () => {
    await using api = await rawServer((socket) => void socket.write(answer('ok')));
    await using pass = await passThrough({ port: api.port });
    const wire = await pass.open(request(pass.port, {}));
    await wire.until(isWhole('ok'));
    wire.socket.write(request(pass.port, {}));
    await wire.until((text) => text.split('ok').length === 3);
    const other = await pass.open(request(pass.port, {}));
    await other.until(isWhole('ok'));
    expect(api.sockets).toHaveLength(2);
    expect(pass.ends).toEqual(['complete', 'complete', 'complete']);
  });

  test('take a request that comes before the answer to the one before', async () => {
    let count = 0;
    await using api = await rawServer((socket) => {
      count += 1;
      const own = `answer ${count}`;
      setTimeout(() => socket.write(answer(own)), 20);
    });
    await using pass = await passThrough({ port: api.port });
    const both = request(pass.port, { body: '{"a":1}' }) + request(pass.port, { body: '{"b":2}' });
    const wire = await pass.open(both);
    await wire.until(isWhole('answer 2'));
    expect(pass.exchanges.map(({ request: { body } }) => bodyOf(body))).toEqual(['{"a":1}', '{"b":2}']);
  });

  test('that the upstream closes while they are idle close for the client', async () => {
    await using api = await rawServer((socket) => void socket.end(answer('ok')));
    await using pass = await passThrough({ port: api.port });
    const wire = await pass.open(request(pass.port, {}));
    await wire.until(isWhole('ok'));
    wire.socket.end();
    await wire.closed;
    expect(pass.ends).toEqual(['complete']);
  });

  test('of a client that leaves early are closed, and what was said until then is kept', async () => {
    let isGone: Promise<unknown> | undefined;
    await using api = await rawServer((socket) => {
      isGone = new Promise((resolve) => socket.once('close', resolve));
      socket.write('HTTP/1.1 200 OK\r\nContent-Length: 100\r\nrequest-id: req_1\r\n\r\nhalf');
      socket.once('end', () => socket.end());
    });
    await using pass = await passThrough({ port: api.port });
    const wire = await pass.open(request(pass.port, {}));
    await wire.until(isWhole('half'));
    wire.socket.destroy();
    await isGone;
    while (pass.ends.length === 0) await new Promise((resolve) => setImmediate(resolve));
    expect(pass.exchanges).toMatchObject([{ end: 'left', answer: { status: 200, requestId: 'req_1' } }]);
    expect(Buffer.from(pass.exchanges[0]?.answer?.body ?? []).toString()).toBe('half');
  });

  test('that break in the middle of an answer break for the client', async () => {
    await using api = await rawServer((socket) => {
      socket.write('HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n4\r\nhalf\r\n', () => socket.destroy());
    });
    await using pass = await passThrough({ port: api.port });
    const wire = await pass.open(request(pass.port, {}));
    await wire.closed;
    expect(wire.text()).toMatch(/4\r\nhalf\r\n$/);
    expect(pass.exchanges).toMatchObject([{ end: 'cut', answer: { status: 200 } }]);
  });

  test('that end an answer without a length end it whole', async () => {
    await using api = await rawServer((socket) => void socket.end('HTTP/1.1 200 OK\r\n\r\nall of it'));
    await using pass = await passThrough({ port: api.port });
    const wire = await pass.open(request(pass.port, {}));
    await wire.closed;
    expect(wire.text()).toMatch(/all of it$/);
    expect(pass.exchanges).toMatchObject([{ end: 'complete' }]);
  });
});

describe('an upstream that is not there', () => {
  test.each(['nobody listens', 'it closes at once'])('is a clean 502: %s', async (how) => {
    await using api = await rawServer((socket) => void socket.destroy());
    const { port } = api;
    if (how === 'nobody listens') await api[Symbol.asyncDispose]();
    await using pass = await passThrough({ port });
    const wire = await pass.open(request(pass.port, { body: 'x'.repeat(200_000) }));
    await wire.closed;
    expect(wire.text()).toMatch(/^HTTP\/1.1 502 Bad Gateway\r\n/);
    const body = wire.text().split('\r\n\r\n')[1] ?? '';
    expect(JSON.parse(body)).toMatchObject({
      type: 'error',
      error: {
        type: 'api_error',
        message: expect.stringMatching(
          `^spanprism: http://127.0.0.1:${port} cannot be reached \\(.+\\); check ANTHROPIC_BASE_URL and the network\\.$`,
        ) as string,
      },
    });
    expect(wire.text()).toContain(`Content-Length: ${body.length}\r\n`);
    expect(pass.ends).toEqual(['unreachable']);
  });
});

describe('strangers', () => {
  test.each([
    [
      'another host',
      421,
      'wrong_host',
      (port: number) => request(port, {}).replace(`127.0.0.1:${port}`, 'evil.example'),
    ],
    ['no host', 421, 'wrong_host', (port: number) => request(port, {}).replace(/Host: .*\r\n/, '')],
    [
      'another token',
      401,
      'unknown_token',
      (port: number) => request(port, { line: 'POST /guess/v1/messages HTTP/1.1' }),
    ],
    ['no token', 401, 'unknown_token', (port: number) => request(port, { line: 'GET / HTTP/1.1' })],
    ['a whole URL', 401, 'unknown_token', (port: number) => request(port, { line: `GET http://a/${TOKEN}/ HTTP/1.1` })],
    ['no HTTP', 400, 'bad_http', () => 'HELLO\r\n\r\n'],
    ['HTTP/2', 400, 'bad_http', () => 'PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n'],
    ['a field without a name', 400, 'bad_http', (port: number) => request(port, { fields: [': x'] })],
    ['an odd coding', 400, 'bad_http', (port: number) => request(port, { fields: ['Transfer-Encoding: gzip'] })],
    ['a head without end', 400, 'bad_http', () => `GET / HTTP/1.1\r\nX: ${'x'.repeat(300_000)}`],
  ] as const)('get nowhere: %s', async (_, status, refusal, sent) => {
    await using api = await rawServer((socket) => void socket.write(answer('secret')));
    await using pass = await passThrough({ port: api.port });
    const wire = await pass.open(sent(pass.port));
    await wire.closed;
    expect(wire.text()).toMatch(new RegExp(`^HTTP/1.1 ${status} `));
    expect(pass.refusals).toEqual([refusal]);
    expect(api.sockets).toHaveLength(0);
  });
});

test('what else the CLI asks passes and is not looked at', async () => {
  await using api = await rawServer((socket) => void socket.write(answer('')));
  await using pass = await passThrough({ port: api.port });
  const lines = [`HEAD /${TOKEN}/api/hello HTTP/1.1`, `POST /${TOKEN}/v1/messages/count_tokens?beta=true HTTP/1.1`];
  for (const line of lines) {
    const wire = await pass.open(request(pass.port, { line, body: '' }));
    await wire.until(isWhole('\r\n\r\n'));
  }
  expect(pass.requests).toEqual([false, false]);
  expect(pass.exchanges).toEqual([]);
});

test('credentials of the head are in nothing that is kept', async () => {
  const canary = 'sk-ant-canary-4711';
  await using api = await rawServer((socket) => void socket.write(answer('{}', `set-cookie: ${canary}`)));
  await using pass = await passThrough({ port: api.port });
  const fields = [`x-api-key: ${canary}`, `Authorization: Bearer ${canary}`, `cookie: ${canary}`];
  const wire = await pass.open(request(pass.port, { fields, body: '{"messages":[]}' }));
  await wire.until(isWhole('{}'));
  expect(api.received().join()).toContain(canary);
  const { request: seen, answer: replied } = pass.exchanges[0] ?? {};
  // Not even beside what is kept, in the same piece of memory.
  const memory = [seen?.body ?? new Uint8Array(), replied?.body ?? new Uint8Array()].map(({ buffer }) =>
    Buffer.from(buffer).toString('latin1'),
  );
  expect(memory.join()).toContain('{"messages":[]}');
  expect(memory.join()).not.toContain(canary);
  expect(JSON.stringify(pass.exchanges)).not.toContain(canary);
});
