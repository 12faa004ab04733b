import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { gunzipSync } from 'node:zlib';
import { expect, test } from 'vitest';
import { genaiDialect, type GenaiDialectOptions } from '../../dialect/genai-dialect.ts';
import type { Dialect } from '../../dialect/dialect.ts';
import { ConfigurationError } from '../../model/configuration-error.ts';
import type { SpanId } from '../../model/ids.ts';
import type { CapturedSpan } from '../../model/sink.ts';
import { decodeOtlp } from '../decode/decode-otlp.ts';
import type { OtlpSpan } from '../records.ts';
import { otlpTraceSink } from './otlp-trace-sink.ts';
import type { OtlpTraceSinkOptions } from './otlp-trace-sink.ts';

interface Backend extends AsyncDisposable {
  readonly url: string;
  readonly requests: { readonly headers: Readonly<Record<string, unknown>>; readonly body: Buffer }[];
  spans(): readonly OtlpSpan[];
  resource(): unknown;
}

async function startBackend(): Promise<Backend> {
  const requests: { headers: Readonly<Record<string, unknown>>; body: Buffer }[] = [];
  const server = createServer((incoming, response) => {
    const chunks: Buffer[] = [];
    incoming.on('data', (chunk: Buffer) => chunks.push(chunk));
    incoming.on('end', () => {
      requests.push({ headers: incoming.headers, body: Buffer.concat(chunks) });
      response.end();
    });
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const groups = () =>
    requests.flatMap(({ body }) => {
      const request = decodeOtlp('traces', 'protobuf', gunzipSync(body));
      return request.signal === 'traces' ? request.groups : [];
    });
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}/v1/traces`,
    requests,
    spans: () => groups().flatMap(({ records }) => records),
    resource: () => groups()[0]?.resource,
    [Symbol.asyncDispose]: async () => {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}

const SPAN: unknown = {
  kind: 'custom',
  name: 'step',
  key: 'key:1',
  traceId: 'b'.repeat(32),
  spanId: 'a'.repeat(16),
  startedAt: 1n,
  endedAt: 2n,
  status: 'ok',
  events: [],
  seenBy: ['sdk'],
  issues: [],
  attributes: {},
  contentBytes: {},
};

/** Only a test may claim that something has passed capture. */
function span(fields: object = {}): CapturedSpan {
  return { ...(SPAN as CapturedSpan), ...fields } as CapturedSpan;
}

async function sent(
  options: Partial<OtlpTraceSinkOptions>,
  ...spans: readonly CapturedSpan[]
): Promise<readonly OtlpSpan[]> {
  await using backend = await startBackend();
  const sink = otlpTraceSink({
    name: 'test',
    dialect: genaiDialect(),
    url: backend.url,
    diag: () => undefined,
    ...options,
  });
  for (const each of spans) {
    sink.spanStart?.(each);
    sink.spanEnd(each);
  }
  await sink.close(5000);
  return backend.spans();
}

test('the first attributes stay where there may be only so many, and the others are counted', async () => {
  const attributes = Object.fromEntries(Array.from({ length: 30 }, (_, index) => [`user.${index}`, index]));
  const [record] = await sent({ limits: { maxAttributes: 10 } }, span({ attributes }));
  expect(Object.keys(record?.attributes ?? {}).slice(0, 2)).toEqual(['claude.key', 'claude.seen_by']);
  expect(Object.keys(record?.attributes ?? {})).toHaveLength(9);
  // Three of ours and thirty of the user's.
  expect(record?.droppedAttributes).toBe(33 - 9);
});

test('texts of events are cut like those of attributes', async () => {
  const events = [{ name: 'notification', at: 1n, attributes: { title: 'x'.repeat(50) }, content: 'y'.repeat(50) }];
  const [record] = await sent({ limits: { maxTextBytes: 20 } }, span({ events }));
  expect(record?.events[0]?.attributes).toEqual({
    'claude.notification.title': `${'x'.repeat(17)}…`,
    'claude.notification.content': `${'y'.repeat(17)}…`,
  });
});

test('a span that is too large is cut at its texts until it fits, and says where', async () => {
  const attributes = { 'user.note': 'n'.repeat(50_000), 'user.other': 'o'.repeat(40_000), 'user.id': 'u-1' };
  const [record] = await sent({ limits: { maxSpanBytes: 20_000 } }, span({ attributes }));
  const { 'user.note': note, 'user.other': other } = record?.attributes ?? {};
  expect(String(note).length + String(other).length).toBeLessThan(20_000);
  expect(String(note).length + String(other).length).toBeGreaterThan(10_000);
  expect(record?.attributes).toMatchObject({ 'user.id': 'u-1', 'claude.cut_attributes': ['user.note', 'user.other'] });
});

test('a dialect can send a record when a span starts, and nothing is opened by it', async () => {
  const pending: Dialect = {
    ...genaiDialect(),
    atStart: ({ spanId, startedAt }) => ({
      spanId: 'c'.repeat(16) as SpanId,
      parentSpanId: spanId,
      name: 'pending',
      kind: 'internal',
      startedAt,
      endedAt: startedAt,
      attributes: { 'test.pending': true },
    }),
  };
  const records = await sent({ dialect: pending }, span());
  const pendingRecord = records.find(({ name }) => name === 'pending');
  expect(records).toHaveLength(2);
  expect(pendingRecord?.parentSpanId).toBe('a'.repeat(16));
  expect(pendingRecord?.traceId).toBe('b'.repeat(32));
  expect(otlpTraceSink({ name: 'x', dialect: genaiDialect(), url: 'http://x' }).spanStart).toBeUndefined();
});

test('what the dialect says of the resource gives way to what the user says', async () => {
  await using backend = await startBackend();
  const dialect: Dialect = { ...genaiDialect(), resource: { 'vendor.project': 'theirs', 'vendor.kind': 'agent' } };
  const sink = otlpTraceSink({ name: 'test', dialect, url: backend.url, resource: { 'vendor.project': 'mine' } });
  sink.spanEnd(span());
  await sink.close(5000);
  expect(backend.resource()).toEqual({ 'vendor.project': 'mine', 'vendor.kind': 'agent' });
});

test('a signature is made of the finished request, and goes with it', async () => {
  await using backend = await startBackend();
  const sink = otlpTraceSink({
    name: 'test',
    dialect: genaiDialect(),
    url: backend.url,
    headers: { 'x-key': 'k' },
    sign: ({ headers, body }) =>
      Promise.resolve({ 'X-Signature': `${headers['x-key']} ${headers['content-encoding']} ${body.length}` }),
  });
  sink.spanEnd(span());
  await sink.close(5000);
  const [request] = backend.requests;
  expect(request?.headers['x-signature']).toBe(`k gzip ${request?.body.length}`);
});

test('diagnostics go where those of createTracing go, unless the sink has a place of its own', async () => {
  const said: string[] = [];
  const heard = (place: string) => (_: string, message: string) => void said.push(`${place}: ${message}`);
  for (const own of [{}, { diag: heard('own') }]) {
    const sink = otlpTraceSink({ name: 'test', dialect: genaiDialect(), url: 'http://127.0.0.1:9/v1/traces', ...own });
    sink.useDiag?.(heard('tracing'));
    sink.spanEnd(span());
    await sink.close(100).catch(() => undefined);
  }
  expect(said.map((line) => line.slice(0, 13))).toEqual(
    expect.arrayContaining(['tracing: test', expect.stringMatching(/^own: test/)]),
  );
  expect(said.filter((line) => !/^(tracing|own): test/.test(line))).toEqual([]);
});

test('a wrong url or header throws, and says which sink', () => {
  const make = (options: Partial<OtlpTraceSinkOptions>) => () =>
    otlpTraceSink({ name: 'mine', dialect: genaiDialect(), url: 'http://x', ...options });
  expect(make({ url: 'localhost:4318' })).toThrow(ConfigurationError);
  const wrongTime = { name: 'ConfigurationError', message: expect.stringContaining('timeoutMs is -1') as string };
  expect(make({ timeoutMs: -1 })).toThrow(expect.objectContaining(wrongTime));
  expect(make({ url: 'localhost:4318' })).toThrow('the url of mine');
  expect(make({ headers: { 'x-key': 'a\nb' } })).toThrow('the headers of mine');
});

test.each([
  ['compression', 'br', 'compression is "br" (from the options). Use gzip or none.'],
  ['protocol', 'grpc', 'protocol is "grpc" (from the options). Use http/protobuf or http/json.'],
])('a word that %s does not have is refused, with those that it has', (option, word, message) => {
  const make = (): unknown =>
    otlpTraceSink({ name: 'acme', url: 'http://localhost:4318', dialect: genaiDialect(), [option]: word });
  expect(make).toThrow(ConfigurationError);
  expect(make).toThrow(message);
});

test.each([
  [{ version: 'v1.40' }, 'semconv is "v1.40" (from the options). Use v1.41 or latest.'],
  [{ version: 'toString' }, 'semconv is "toString"'],
  [{ toolParent: 'turn' }, 'toolParent is "turn" (from the options). Use agent or llm.'],
])('a dialect refuses %j', (options, message) => {
  const make = (): unknown => genaiDialect(options as GenaiDialectOptions);
  expect(make).toThrow(ConfigurationError);
  expect(make).toThrow(message);
});
