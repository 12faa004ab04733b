import { once } from 'node:events';
import { type ClientHttp2Session, type ClientHttp2Stream, connect as connectHttp2, constants } from 'node:http2';
import { connect, type Socket } from 'node:net';
import { buffer, text } from 'node:stream/consumers';
import { memorySink } from '@spanprism/core';
import { afterEach, describe, expect, test } from 'vitest';
import { endStarted, overGrpc, type Started, started, VALID } from '../__fixtures__/started-collector.ts';

const peers = new Set<Socket | ClientHttp2Session>();

afterEach(async () => {
  for (const peer of peers) peer.destroy();
  peers.clear();
  await endStarted();
});

/** Of whoever is slow; nobody else takes as long. */
const IMPATIENT = { headMs: 200, requestMs: 400 };

/** Stays when the other side has left. */
function stubborn(port = 0): Socket {
  const socket = connect({ port, host: '127.0.0.1', allowHalfOpen: true });
  peers.add(socket.on('error', () => undefined));
  return socket;
}

const peer = ({ collector }: Started): Socket => stubborn(collector.httpPort);

function http2Peer({ collector }: Started): ClientHttp2Session {
  const session = connectHttp2(`http://127.0.0.1:${collector.grpcPort}`);
  session.on('error', () => undefined);
  peers.add(session);
  return session;
}

const HEAD = 'POST /v1/traces HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Type: application/json\r\n';
const BODY = Buffer.from(VALID);
const WHOLE = `${HEAD}Content-Length: ${BODY.length}\r\n\r\n${VALID}`;
const EXPORT = '/opentelemetry.proto.collector.trace.v1.TraceService/Export';

/** Whatever was wrong with it. */
const closed = (what: Socket | ClientHttp2Session | ClientHttp2Stream): Promise<void> =>
  new Promise((resolve) => what.once('close', resolve));

/** Statuses of all answers, as they came. */
const statuses = (answers: string): readonly string[] =>
  [...answers.matchAll(/HTTP\/1\.1 (\d{3})/g)].map(([, status = '']) => status);

function call(session: ClientHttp2Session, path = EXPORT): ClientHttp2Stream {
  const headers = { ':method': 'POST', ':path': path, 'content-type': 'application/grpc', te: 'trailers' };
  const stream = session.request(headers).on('error', () => undefined);
  stream.resume();
  return stream;
}

/** The gRPC status that ends a call. */
function statusOf(stream: ClientHttp2Stream): Promise<number> {
  return new Promise((resolve) => {
    for (const event of ['response', 'trailers'] as const)
      stream.on(event, (headers: Record<string, unknown>) => {
        if (headers['grpc-status'] !== undefined) resolve(Number(headers['grpc-status']));
      });
  });
}

/** gRPC over HTTP/2: a byte that tells of compression, and the length. */
const announced = (bytes: number): Buffer =>
  Buffer.from([0, ...new Uint8Array(new Uint32Array([bytes]).buffer).reverse()]);

describe('over HTTP', () => {
  test.each([
    // Node's own watch over heads and ours over silence are two clocks, of which either can be the first.
    ['says nothing', '', [[], ['408']]],
    ['does not end the head of its request', 'POST /v1/traces HTTP/1.1\r\nX: ', [['408']]],
    ['does not end the body of its request', `${HEAD}Content-Length: ${BODY.length}\r\n\r\n{`, [['408']]],
  ])('who %s is sent away, and nobody waits for him', async (_, words, answered) => {
    const sink = memorySink();
    const here = await started({ sink, patience: IMPATIENT });
    const slow = peer(here);
    slow.write(words);
    const answer = text(slow);
    expect((await here.post('/v1/traces', VALID)).status).toBe(200);
    expect(answered).toContainEqual(statuses(await answer));
    expect(await here.counted()).toContain('spanprism_collect_requests_total{signal="traces",transport="http"} 1');
  });

  test('requests that follow each other without waiting are answered one by one', async () => {
    const here = await started();
    const socket = peer(here);
    for (let count = 0; count < 20; count += 1) socket.write(WHOLE);
    socket.end();
    expect(statuses(await text(socket))).toEqual(Array(20).fill('200'));
    expect(await here.counted()).toContain('spanprism_collect_requests_total{signal="traces",transport="http"} 20');
  });

  test('a body in chunks with trailers is taken', async () => {
    const here = await started();
    const socket = peer(here);
    const chunk = `${BODY.length.toString(16)}\r\n${VALID}\r\n`;
    socket.end(`${HEAD}Transfer-Encoding: chunked\r\nTrailer: X-Sum\r\n\r\n${chunk}0\r\nX-Sum: 1\r\n\r\n`);
    expect(statuses(await text(socket))).toEqual(['200']);
  });

  test('who sends no more than his request gets his answer', async () => {
    const here = await started();
    const socket = peer(here);
    socket.end(WHOLE);
    expect(statuses(await text(socket))).toEqual(['200']);
  });

  test.each([
    ['is cut in its body', (socket: Socket) => socket.destroy()],
    ['ends in its body', (socket: Socket) => socket.end()],
  ])('a request that %s has no effect', async (_, leave) => {
    const sink = memorySink();
    const here = await started({ sink });
    const socket = peer(here);
    socket.write(`${HEAD}Content-Length: ${BODY.length}\r\n\r\n${VALID.slice(0, -1)}`, () => leave(socket));
    await expect.poll(here.counted).toEqual(['spanprism_collect_rejected_total{reason="aborted"} 1']);
    await here.collector.close(5_000);
    expect(sink.spans).toEqual([]);
  });

  test('of bodies on their way so much is held, and who brings more is asked to come again', async () => {
    const here = await started({ args: { 'max-request-mb': '1' } });
    const senders = Array.from({ length: 5 }, () => peer(here));
    const answered = Promise.race(senders.map(async (socket) => String((await once(socket, 'data'))[0])));
    for (const socket of senders) socket.write(`${HEAD}Content-Length: 1000000\r\n\r\n${' '.repeat(900_000)}`);
    expect(await answered).toMatch(/^HTTP\/1\.1 429 [^]*Retry-After: \d/);
    expect((await here.post('/v1/traces', VALID)).status).toBe(200);
  });

  test('a body that does not say how large it is, and is too large, leaves room for all others', async () => {
    const here = await started({ args: { 'max-request-mb': '1' } });
    const chunk = `${(100_000).toString(16)}\r\n${' '.repeat(100_000)}\r\n`;
    const socket = peer(here);
    socket.write(`${HEAD}Transfer-Encoding: chunked\r\n\r\n${chunk.repeat(80)}0\r\n\r\n`);
    expect(String((await once(socket, 'data'))[0])).toMatch(/^HTTP\/1\.1 413/);
    expect(await here.counted()).toEqual(['spanprism_collect_rejected_total{reason="too_large"} 1']);
    // The rest may come in after the answer.
    socket.end();
    await closed(socket);
    expect((await here.post('/v1/traces', VALID)).status).toBe(200);
  });

  test.each([
    ['two lengths', `${HEAD}Content-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n`, '400'],
    ['a chunk without a length', `${HEAD}Transfer-Encoding: chunked\r\n\r\nzz\r\n`, '400'],
    ['TLS where there is none', '\u0016\u0003\u0001\u0002', '400'],
    ['HTTP/2', 'PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n', '400'],
    ['a head without end', `GET /healthz HTTP/1.1\r\nHost: 127.0.0.1\r\nX: ${'y'.repeat(40_000)}\r\n\r\n`, '431'],
    ['a packing within a packing', `${HEAD}Content-Encoding: gzip, gzip\r\nContent-Length: 0\r\n\r\n`, '415'],
  ])('%s is refused', async (_, words, status) => {
    const here = await started({ patience: IMPATIENT });
    const socket = peer(here);
    socket.write(words, 'latin1');
    const [answer] = (await once(socket, 'data')) as [Buffer];
    expect(statuses(answer.toString())).toEqual([status]);
    expect((await here.post('/v1/traces', VALID)).status).toBe(200);
  });

  test.each([
    '',
    'Bearer',
    'Bearer ',
    'Bearer  ',
    'secret',
    'Basic secret',
    'Bearer secre',
    'Bearer secret2',
    'Bearer Secret',
  ])('the token is not "%s"', async (authorization) => {
    const here = await started({ args: { token: 'secret' } });
    expect((await here.post('/v1/traces', VALID, { authorization })).status).toBe(401);
    expect((await overGrpc(here.collector, Buffer.alloc(0), authorization))?.code).toBe(16);
    expect((await here.post(`/v1/traces?token=secret`, VALID, { authorization })).status).toBe(401);
  });
});

describe('over gRPC', () => {
  test('who does not end his message is sent away, and nobody waits for him', async () => {
    const here = await started({ patience: IMPATIENT });
    const stream = call(http2Peer(here));
    stream.write(Buffer.concat([announced(1_000), Buffer.alloc(10)]));
    const status = statusOf(stream);
    expect(await overGrpc(here.collector, Buffer.alloc(0))).toBeNull();
    expect(await status).toBe(4);
    expect(await here.counted()).toContain('spanprism_collect_rejected_total{reason="too_slow"} 1');
  });

  test('who never speaks is sent away', async () => {
    const here = await started({ patience: IMPATIENT });
    const socket = stubborn(here.collector.grpcPort);
    // All it hears are the server's settings.
    expect((await buffer(socket))[3]).toBe(4);
  });

  test.each([
    ['another method', '/opentelemetry.proto.collector.trace.v1.TraceService/Import'],
    ['another service', '/opentelemetry.proto.collector.profiles.v1development.ProfilesService/Export'],
  ])('%s is not implemented', async (_, path) => {
    const here = await started();
    const stream = call(http2Peer(here), path);
    stream.end(announced(0));
    expect(await statusOf(stream)).toBe(12);
  });

  test('metadata without end are refused, and calls that are cut have no effect', async () => {
    const here = await started();
    const session = http2Peer(here);
    const heavy = session.request({ ':method': 'POST', ':path': EXPORT, x: 'y'.repeat(100_000) });
    heavy.on('error', () => undefined);
    await closed(heavy);
    expect(heavy.rstCode).not.toBe(constants.NGHTTP2_NO_ERROR);
    for (const rest of [announced(1_000), Buffer.concat([announced(0), announced(0)])]) {
      const stream = call(http2Peer(here));
      stream.write(rest);
      stream.close(constants.NGHTTP2_CANCEL);
      await closed(stream);
    }
    expect((await here.counted()).filter((line) => line.includes('requests_total'))).toEqual([]);
    expect(await overGrpc(here.collector, Buffer.alloc(0))).toBeNull();
  });

  // CVE-2023-44487.
  test('who begins calls only to take them back is sent away, and others are served', async () => {
    const here = await started();
    const session = http2Peer(here);
    const isClosed = closed(session);
    for (let count = 0; count < 5_000 && !session.destroyed; count += 1) {
      call(session).close(constants.NGHTTP2_CANCEL);
      if (count % 100 === 0) await new Promise(setImmediate);
    }
    await isClosed;
    expect(await overGrpc(here.collector, Buffer.alloc(0))).toBeNull();
    expect((await here.post('/v1/traces', VALID)).status).toBe(200);
  });
});

test('peers that do not leave do not keep it from ending', async () => {
  const here = await started();
  const { httpPort, grpcPort } = here.collector;
  const [silent, wordless, slow] = [stubborn(httpPort), stubborn(grpcPort), stubborn(httpPort)];
  const session = http2Peer(here);
  const [stalled, answered] = [call(session), call(session, '/none')];
  stalled.write(announced(1_000));
  slow.write(`${WHOLE}${HEAD}Content-Length: 1000\r\n\r\n{`);
  await Promise.all([once(slow, 'data'), statusOf(answered)]);
  const gone = Promise.allSettled([closed(session), ...[silent, wordless, slow].map((socket) => buffer(socket))]);
  await here.collector.close(400);
  expect(await gone).toHaveLength(4);
});
