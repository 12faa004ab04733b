import { createServer, type Http2Server, type IncomingHttpHeaders } from 'node:http2';
import type { AddressInfo } from 'node:net';
import { buffer } from 'node:stream/consumers';
import { gzipSync } from 'node:zlib';
import { afterEach, expect, test } from 'vitest';
import type { Answer, Export } from './forward.ts';
import { forwardGrpc } from './forward-grpc.ts';

let server: Http2Server | undefined;
afterEach(() => server?.close());

interface Call {
  readonly headers: IncomingHttpHeaders;
  readonly body: Buffer;
}

/** A gRPC server that ends every call with a status. */
async function serving(status: number): Promise<{ url: string; calls: Call[] }> {
  const calls: Call[] = [];
  server = createServer();
  server.on('stream', async (stream, headers) => {
    calls.push({ headers, body: await buffer(stream) });
    stream.respond({ ':status': 200, 'content-type': 'application/grpc' }, { waitForTrailers: true });
    stream.on('wantTrailers', () => stream.sendTrailers({ 'grpc-status': String(status) }));
    stream.end(status === 0 ? Buffer.from([0, 0, 0, 0, 0]) : undefined);
  });
  await new Promise<void>((resolve) => server?.listen(0, '127.0.0.1', resolve));
  return { url: `127.0.0.1:${(server.address() as AddressInfo).port}`, calls };
}

function sent(url: string, headers: Export['headers'] = {}, body = Buffer.from('message')): Export {
  return { signal: 'logs', destination: { url, protocol: 'grpc' }, headers, body, env: {} };
}

test('a message goes as one call, in a frame, with the user’s headers as metadata', async () => {
  const { url, calls } = await serving(0);
  const headers = {
    'x-key': 'mine',
    'content-type': 'application/x-protobuf',
    'content-length': '7',
    'user-agent': 'cli',
  };
  const answer = await forwardGrpc(sent(url, headers));
  expect(answer).toMatchObject({ status: 200 } satisfies Partial<Answer>);
  expect(answer.body).toHaveLength(0);
  const [call] = calls;
  expect(call?.headers).toMatchObject({
    ':path': '/opentelemetry.proto.collector.logs.v1.LogsService/Export',
    'content-type': 'application/grpc',
    'x-key': 'mine',
  });
  expect(call?.headers['user-agent']).toBeUndefined();
  expect(call?.body).toEqual(Buffer.concat([Buffer.from([0, 0, 0, 0, 7]), Buffer.from('message')]));
});

test('what came compressed goes uncompressed: the frame says so', async () => {
  const { url, calls } = await serving(0);
  await forwardGrpc(sent(url, { 'content-encoding': 'gzip' }, gzipSync('message')));
  expect(calls[0]?.body.subarray(5).toString()).toBe('message');
});

test.each([
  [14, 503],
  [8, 503],
  [3, 400],
  [16, 400],
])(
  'status %i of gRPC is status %i of HTTP: the CLI tries again after the one and not after the other',
  async (code, status) => {
    const { url } = await serving(code);
    expect((await forwardGrpc(sent(url))).status).toBe(status);
  },
);

test('a backend that cannot be reached is an error', async () => {
  await expect(forwardGrpc(sent('http://127.0.0.1:1'))).rejects.toThrow(/ECONNREFUSED/);
});
