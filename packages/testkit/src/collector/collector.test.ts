import { gzipSync } from 'node:zlib';
import { query } from '@anthropic-ai/claude-agent-sdk';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { claudeBinary } from '../claude-process/claude-binary.ts';
import { cleanEnvironment } from '../claude-process/environment.ts';
import { makeProject } from '../claude-process/project.ts';
import { startMessagesApi } from '../messages-api/messages-api.ts';
import { answer, text } from '../messages-api/reply.ts';
import { when } from '../messages-api/rule.ts';
import { type Collector, startCollector } from './collector.ts';

let collector: Collector;

beforeEach(async () => {
  collector = await startCollector();
});
afterEach(() => collector.close());

const TRACE_ID = '0af7651916cd43dd8448eb211c80319c';
const SPAN_ID = 'b7ad6b7169203331';
const JSON_TYPE = { 'content-type': 'application/json' };
const PROTOBUF_TYPE = { 'content-type': 'application/x-protobuf' };

interface Post {
  readonly body: string | Buffer;
  readonly headers?: Record<string, string>;
  readonly path?: string;
}

const post = ({ body, headers = JSON_TYPE, path = '/v1/traces' }: Post) =>
  fetch(`${collector.url}${path}`, {
    method: 'POST',
    headers,
    body: typeof body === 'string' ? body : new Uint8Array(body),
  });

// The wire format by hand: a tag is (field number << 3) | type, type 2 has its length before it.
const bytes = (hex: string) => Buffer.from(hex.replaceAll(' ', ''), 'hex');
const nested = (field: number, ...content: readonly Buffer[]) => {
  const joined = Buffer.concat(content);
  const length = joined.length < 128 ? [joined.length] : [(joined.length & 127) | 128, joined.length >> 7];
  return Buffer.concat([Buffer.from([(field << 3) | 2, ...length]), joined]);
};
const attribute = (key: string, value: Buffer) => nested(9, nested(1, Buffer.from(key)), nested(2, value));

const PROTOBUF_SPAN = nested(
  2,
  nested(1, bytes(TRACE_ID)),
  nested(2, bytes(SPAN_ID)),
  nested(5, Buffer.from('llm')),
  bytes('30 03'),
  bytes('39 0100000000000000 41 ffffffffffffff7f'),
  attribute('text', nested(1, Buffer.from('häh'))),
  attribute('count', bytes('18 b009')),
  attribute('negative', bytes('18 ffffffffffffffffff01')),
  attribute('large', bytes('18 ffffffffffffffff7f')),
  attribute('yes', bytes('10 01')),
  attribute('half', bytes('21 000000000000e03f')),
  attribute('list', nested(5, nested(1, nested(1, Buffer.from('a'))), nested(1, nested(1, Buffer.from('b'))))),
  nested(15, nested(2, Buffer.from('bad')), bytes('18 02')),
);

const tracesRequest = (span: Buffer, service: string) => {
  const name = nested(1, nested(1, Buffer.from('service.name')), nested(2, nested(1, Buffer.from(service))));
  return nested(1, nested(1, name), nested(2, span));
};

const jsonSpan = (name: string) => ({
  resourceSpans: [{ scopeSpans: [{ spans: [{ traceId: TRACE_ID, spanId: SPAN_ID, name, startTimeUnixNano: '1' }] }] }],
});

test('a protobuf span is read with exact ids, times and values', async () => {
  const response = await post({ body: tracesRequest(PROTOBUF_SPAN, 'claude-code'), headers: PROTOBUF_TYPE });
  expect([response.status, response.headers.get('content-type')]).toEqual([200, 'application/x-protobuf']);
  expect(collector.spans()).toEqual([
    {
      resource: { 'service.name': 'claude-code' },
      scope: { name: '', version: '' },
      traceId: TRACE_ID,
      spanId: SPAN_ID,
      name: 'llm',
      kind: 3,
      startedAt: 1n,
      endedAt: 9223372036854775807n,
      attributes: {
        text: 'häh',
        count: 1200,
        negative: -1,
        large: 9223372036854775807n,
        yes: true,
        half: 0.5,
        list: ['a', 'b'],
      },
      events: [],
      links: [],
      status: { code: 2, message: 'bad' },
    },
  ]);
});

test('protobuf sums and histograms are read with their figures', async () => {
  const one = bytes('0100000000000000');
  const two = bytes('0200000000000000');
  const half = bytes('000000000000e03f');
  const counter = nested(
    2,
    nested(1, Buffer.from('calls')),
    nested(3, Buffer.from('{call}')),
    nested(7, nested(1, bytes('11'), one, bytes('19'), two, bytes('31 fdffffffffffffff')), bytes('10 02 18 01')),
  );
  const distribution = nested(
    2,
    nested(1, Buffer.from('duration')),
    nested(
      9,
      nested(1, bytes('21'), two, bytes('29'), half, nested(6, one, one), nested(7, half), bytes('59'), half),
      bytes('10 01'),
    ),
  );
  await post({
    path: '/v1/metrics',
    body: nested(1, nested(2, counter, distribution)),
    headers: PROTOBUF_TYPE,
  });
  expect(collector.metrics()).toMatchObject([
    {
      name: 'calls',
      unit: '{call}',
      kind: 'sum',
      temporality: 2,
      isMonotonic: true,
      points: [{ startedAt: 1n, at: 2n, value: -3 }],
    },
    {
      name: 'duration',
      kind: 'histogram',
      temporality: 1,
      points: [{ count: 2, sum: 0.5, min: 0.5, bounds: [0.5], bucketCounts: [1, 1] }],
    },
  ]);
});

test('a gzip body is decompressed, and its bytes can be searched', async () => {
  const body = gzipSync(JSON.stringify(jsonSpan('canary-name')));
  await post({ body, headers: { ...JSON_TYPE, 'content-encoding': 'gzip', 'x-tag': 'canary-header' } });
  expect(collector.spans().map((span) => span.name)).toEqual(['canary-name']);
  expect(collector.bytes().includes('canary-name')).toBe(true);
  expect(collector.bytes().includes('canary-header')).toBe(true);
  expect(collector.requests[0]?.raw.equals(body)).toBe(true);
});

test('a logs record and a metric of OTLP/JSON are read as plain objects', async () => {
  const attributes = [{ key: 'n', value: { intValue: 7 } }];
  const log = { timeUnixNano: '5', body: { stringValue: 'claude_code.x' }, attributes, traceId: TRACE_ID };
  const point = { attributes, timeUnixNano: '9', asInt: '3' };
  const metric = { name: 'tokens', sum: { dataPoints: [point], aggregationTemporality: 1, isMonotonic: true } };
  await post({ path: '/v1/logs', body: JSON.stringify({ resourceLogs: [{ scopeLogs: [{ logRecords: [log] }] }] }) });
  await post({
    path: '/any/where/v1/metrics',
    body: JSON.stringify({ resourceMetrics: [{ scopeMetrics: [{ metrics: [metric] }] }] }),
  });
  expect(collector.logs()).toMatchObject([{ at: 5n, body: 'claude_code.x', attributes: { n: 7 }, traceId: TRACE_ID }]);
  expect(collector.metrics()).toMatchObject([
    {
      name: 'tokens',
      kind: 'sum',
      temporality: 1,
      isMonotonic: true,
      points: [{ value: 3, at: 9n, attributes: { n: 7 } }],
    },
  ]);
});

describe('told to fail', () => {
  const body = JSON.stringify(jsonSpan('x'));

  test('it answers the next requests with a status and its headers, then accepts again', async () => {
    collector.behave({ kind: 'status', status: 429, headers: { 'retry-after': '7' } }, { times: 2 });
    const responses = [await post({ body }), await post({ body }), await post({ body })];
    expect(responses.map((response) => response.status)).toEqual([429, 429, 200]);
    expect(responses[0]?.headers.get('retry-after')).toBe('7');
    expect([collector.requests.length, collector.spans().length]).toEqual([3, 1]);
  });

  test('it refuses one signal and takes the others', async () => {
    collector.behave({ kind: 'refuse' }, { signal: 'traces' });
    await expect(post({ body })).rejects.toThrow('fetch failed');
    expect((await post({ body: '{}', path: '/v1/logs' })).status).toBe(200);
    collector.recover();
    expect((await post({ body })).status).toBe(200);
  });

  test('it answers partial success in the encoding of the request', async () => {
    collector.behave({ kind: 'partialSuccess', rejected: 2, message: 'too old' });
    const inJson = await post({ body });
    expect(await inJson.json()).toEqual({ partialSuccess: { rejectedSpans: '2', errorMessage: 'too old' } });
    const inProtobuf = await post({ body: tracesRequest(PROTOBUF_SPAN, 's'), headers: PROTOBUF_TYPE });
    const expected = nested(1, bytes('08 02'), nested(2, Buffer.from('too old')));
    expect(Buffer.from(await inProtobuf.arrayBuffer()).toString('hex')).toBe(expected.toString('hex'));
  });

  test('it hangs until it is closed', async () => {
    collector.behave({ kind: 'hang' });
    const hanging = post({ body });
    await collector.until(({ requests }) => requests.length === 1);
    await collector.close();
    await expect(hanging).rejects.toThrow('fetch failed');
  });

  test('it says why a body cannot be read, and keeps it', async () => {
    const cut = tracesRequest(PROTOBUF_SPAN, 's').subarray(0, 40);
    expect((await post({ body: cut, headers: PROTOBUF_TYPE })).status).toBe(400);
    expect((await post({ body: '[]' })).status).toBe(400);
    expect((await post({ body: 'no gzip', headers: { ...JSON_TYPE, 'content-encoding': 'gzip' } })).status).toBe(400);
    expect(collector.requests.map((request) => request.error === undefined)).toEqual([false, false, false]);
    expect(collector.spans()).toEqual([]);
  });
});

const binary = claudeBinary();
const suite = binary.absent === undefined ? 'the telemetry of the real claude' : `skipped: ${binary.absent}`;

describe.skipIf(binary.absent !== undefined)(suite, { timeout: 60_000 }, () => {
  async function record(protocol: 'http/protobuf' | 'http/json'): Promise<void> {
    await using project = await makeProject();
    await using api = await startMessagesApi({ rules: [when.lastUserText('hi').reply(answer(text('Hello.')))] });
    const telemetry = {
      CLAUDE_CODE_ENABLE_TELEMETRY: '1',
      CLAUDE_CODE_ENHANCED_TELEMETRY_BETA: '1',
      OTEL_TRACES_EXPORTER: 'otlp',
      OTEL_LOGS_EXPORTER: 'otlp',
      OTEL_METRICS_EXPORTER: 'otlp',
      OTEL_EXPORTER_OTLP_PROTOCOL: protocol,
      OTEL_EXPORTER_OTLP_ENDPOINT: collector.url,
      OTEL_EXPORTER_OTLP_COMPRESSION: 'gzip',
    };
    const env = cleanEnvironment({ home: project.home, apiUrl: api.url, extra: telemetry });
    const executable = binary.path === undefined ? {} : { pathToClaudeCodeExecutable: binary.path };
    const options = { cwd: project.cwd, model: 'claude-sonnet-4-5', settingSources: [], env, ...executable };
    for await (const _ of query({ prompt: 'hi', options })) continue;
    await collector.until((arrived) => {
      const told = shapes(arrived);
      return CERTAIN.every((name) => told.has(name));
    });
  }

  /** What every run with one call tells; what else the CLI tells, and in which order, depends on how busy the machine is. */
  const CERTAIN = [
    'span claude_code.interaction',
    'span claude_code.llm_request',
    'log claude_code.api_request',
    'log claude_code.assistant_response',
    'log claude_code.user_prompt',
    'metric claude_code.cost.usage',
    'metric claude_code.token.usage',
  ];

  /** Under the name of each thing that was told, the distinct shapes in which it came. */
  function shapes({ spans, logs, metrics }: Collector): ReadonlyMap<string, readonly string[]> {
    const keys = (attributes: object) => Object.keys(attributes).sort().join();
    const told = [
      ...spans().map(({ name, kind, attributes }) => [`span ${name}`, `${kind} ${keys(attributes)}`] as const),
      ...logs().map(({ body, attributes }) => [`log ${String(body)}`, keys(attributes)] as const),
      ...metrics().flatMap(({ name, kind, temporality, points }) =>
        points.map(({ attributes }) => [`metric ${name}`, `${kind} ${temporality} ${keys(attributes)}`] as const),
      ),
    ];
    const shapesOf = (name: string) => told.flatMap(([other, shape]) => (other === name ? [shape] : []));
    return new Map(told.map(([name]) => [name, [...new Set(shapesOf(name))].sort()]));
  }

  const figures = ({ metrics, spans }: Collector) => ({
    tokens: Object.fromEntries(
      metrics()
        .filter(({ name }) => name === 'claude_code.token.usage')
        .flatMap(({ points }) => points.map(({ attributes, value }) => [attributes['type'], value])),
    ),
    usage: spans()
      .filter(({ name }) => name === 'claude_code.llm_request')
      .map(({ attributes: { input_tokens, output_tokens, request_id } }) => [input_tokens, output_tokens, request_id]),
  });

  test('reads the same from protobuf as from JSON', async () => {
    await record('http/protobuf');
    expect(new Set(collector.requests.map((request) => request.protocol))).toEqual(new Set(['http/protobuf']));
    const fromProtobuf = { shapes: shapes(collector), figures: figures(collector) };
    await collector.close();
    collector = await startCollector();
    await record('http/json');
    const fromJson = shapes(collector);
    const inBoth = [...fromJson.keys()].filter((name) => fromProtobuf.shapes.has(name));
    expect(inBoth).toEqual(expect.arrayContaining(CERTAIN));
    for (const name of inBoth) expect([name, fromJson.get(name)]).toEqual([name, fromProtobuf.shapes.get(name)]);
    expect(figures(collector)).toEqual(fromProtobuf.figures);
    expect(fromProtobuf.figures).toEqual({
      usage: [[1200, 42, 'req_scripted_r1_001']],
      tokens: { input: 1200, output: 42, cacheRead: 4000, cacheCreation: 300 },
    });
  });
});
