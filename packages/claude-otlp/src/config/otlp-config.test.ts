import { describe, expect, test } from 'vitest';
import { ConfigurationError } from '@spanprism/core';
import type { CapturedSpan, TraceId } from '@spanprism/core';
import { agent } from '@spanprism/testkit/samples';
import type { Environment } from '@spanprism/core/otlp';
import { readOtlpConfig } from './otlp-config.ts';
import type { OtlpConfigOptions } from './otlp-config.ts';

function read(environment: Environment, options: OtlpConfigOptions = {}) {
  const said: string[] = [];
  const config = readOtlpConfig(options, environment, (level, message) => said.push(`${level}: ${message}`));
  return { config, said };
}

const E = 'OTEL_EXPORTER_OTLP_';
const urls = (environment: Environment, options: OtlpConfigOptions = {}) => {
  const { config } = read(environment, options);
  return [config.traces.url.value, config.metrics?.url.value];
};

describe('where signals go', () => {
  test.each<[string, Environment, OtlpConfigOptions, string, string | undefined]>([
    ['nothing set', {}, {}, 'http://localhost:4318/v1/traces', 'http://localhost:4318/v1/metrics'],
    ['a base', { [`${E}ENDPOINT`]: 'http://c:9' }, {}, 'http://c:9/v1/traces', 'http://c:9/v1/metrics'],
    [
      'a base with a path',
      { [`${E}ENDPOINT`]: 'https://c/otlp/' },
      {},
      'https://c/otlp/v1/traces',
      'https://c/otlp/v1/metrics',
    ],
    [
      'set to nothing',
      { [`${E}ENDPOINT`]: ' ' },
      {},
      'http://localhost:4318/v1/traces',
      'http://localhost:4318/v1/metrics',
    ],
    [
      'a full URL per signal',
      { [`${E}TRACES_ENDPOINT`]: 'http://t/x', [`${E}METRICS_ENDPOINT`]: 'http://m/y', [`${E}ENDPOINT`]: 'http://c' },
      {},
      'http://t/x',
      'http://m/y',
    ],
    [
      'a full URL for traces alone',
      { [`${E}TRACES_ENDPOINT`]: 'http://t/v1/traces' },
      {},
      'http://t/v1/traces',
      'http://t/v1/metrics',
    ],
    ['one that says nothing of metrics', { [`${E}TRACES_ENDPOINT`]: 'http://t/in' }, {}, 'http://t/in', undefined],
    [
      'code before environment',
      { [`${E}TRACES_ENDPOINT`]: 'http://t/x' },
      { endpoint: 'http://code' },
      'http://code/v1/traces',
      'http://code/v1/metrics',
    ],
    [
      'a full URL in code',
      { [`${E}ENDPOINT`]: 'http://c' },
      { url: 'http://code/otel/v1/traces' },
      'http://code/otel/v1/traces',
      'http://code/otel/v1/metrics',
    ],
    [
      'a full URL in code that says nothing of metrics',
      { [`${E}ENDPOINT`]: 'http://c' },
      { url: 'http://code/in' },
      'http://code/in',
      undefined,
    ],
    [
      'two full URLs in code',
      {},
      { url: 'http://code/in', metricsUrl: 'http://code/m' },
      'http://code/in',
      'http://code/m',
    ],
    ['metrics not wanted', {}, { metrics: false }, 'http://localhost:4318/v1/traces', undefined],
    [
      'metrics not wanted by the environment',
      { OTEL_METRICS_EXPORTER: 'none' },
      {},
      'http://localhost:4318/v1/traces',
      undefined,
    ],
    [
      'metrics wanted all the same',
      { OTEL_METRICS_EXPORTER: 'none' },
      { metrics: true },
      'http://localhost:4318/v1/traces',
      'http://localhost:4318/v1/metrics',
    ],
  ])('%s', (_, environment, options, traces, metrics) => {
    expect(urls(environment, options)).toEqual([traces, metrics]);
  });
});

describe('grpc in the environment', () => {
  const grpc = { [`${E}PROTOCOL`]: 'grpc' };
  test.each([
    [{ ...grpc }, 'http://localhost:4318/v1/traces'],
    [{ ...grpc, [`${E}ENDPOINT`]: 'http://c:4317' }, 'http://c:4318/v1/traces'],
    [{ ...grpc, [`${E}ENDPOINT`]: 'http://c:9999' }, 'http://c:9999/v1/traces'],
    [{ ...grpc, [`${E}TRACES_ENDPOINT`]: 'https://c:4317' }, 'https://c:4318/v1/traces'],
    [{ ...grpc, [`${E}ENDPOINT`]: 'localhost:4317' }, 'http://localhost:4318/v1/traces'],
    [{ ...grpc, [`${E}ENDPOINT`]: 'otel.example.org:4317' }, 'https://otel.example.org:4318/v1/traces'],
  ])('%j goes to %s as protobuf, with one warning', (environment, url) => {
    const { config, said } = read(environment);
    expect(config.traces).toMatchObject({ protocol: 'http/protobuf', url: { value: url } });
    expect(said).toHaveLength(1);
    expect(said[0]).toMatch(/^warn: "grpc" \(from env OTEL_EXPORTER_OTLP_PROTOCOL\)/);
  });

  test('a port 4317 that was meant stays', () => {
    expect(urls({ [`${E}ENDPOINT`]: 'http://c:4317' })[0]).toBe('http://c:4317/v1/traces');
  });
});

describe('what goes with a request', () => {
  test('a signal’s own variables win over the general ones', () => {
    const { config } = read({
      [`${E}PROTOCOL`]: 'http/protobuf',
      [`${E}METRICS_PROTOCOL`]: 'HTTP/JSON',
      [`${E}COMPRESSION`]: 'none',
      [`${E}TRACES_COMPRESSION`]: 'gzip',
      [`${E}TIMEOUT`]: '7000',
      [`${E}METRICS_TIMEOUT`]: '300',
      [`${E}HEADERS`]: 'X-Team=general,x-both=a',
      [`${E}TRACES_HEADERS`]: 'x-team=traces',
    });
    expect(config.traces).toMatchObject({ protocol: 'http/protobuf', compression: 'gzip', timeoutMs: 7000 });
    expect(config.metrics).toMatchObject({ protocol: 'http/json', compression: 'none', timeoutMs: 300 });
    expect(config.traces.headers).toEqual({ 'x-team': 'traces', 'x-both': 'a' });
    expect(config.metrics?.headers).toEqual({ 'x-team': 'general', 'x-both': 'a' });
  });

  test('header values are percent-decoded, and the padding of base64 is fine', () => {
    const { config } = read({ [`${E}HEADERS`]: ' authorization=Basic%20dTpw== , x-list=a%2Cb,' });
    expect(config.traces.headers).toEqual({ authorization: 'Basic dTpw==', 'x-list': 'a,b' });
  });

  test('headers given in code go alone: a key of the environment is for another endpoint', () => {
    const { config } = read(
      { [`${E}HEADERS`]: 'api-key=other' },
      { endpoint: 'http://c', headers: { 'x-key': 'mine' } },
    );
    expect(config.traces.headers).toEqual({ 'x-key': 'mine' });
  });

  test('headers for traces go with metrics that go to the same place', () => {
    const { config } = read({ [`${E}TRACES_ENDPOINT`]: 'http://t/v1/traces', [`${E}TRACES_HEADERS`]: 'k=v' });
    expect(config.metrics?.headers).toEqual({ k: 'v' });
  });

  test('defaults', () => {
    const { config, said } = read({});
    expect(config.traces).toMatchObject({
      protocol: 'http/protobuf',
      compression: 'gzip',
      timeoutMs: 10_000,
      headers: {},
    });
    expect(config.metrics).toMatchObject({ temporality: 'cumulative', intervalMs: 60_000 });
    expect(config.isDisabled).toBe(false);
    expect(said).toEqual([]);
  });

  test.each([
    ['delta', 'delta'],
    ['LowMemory', 'delta'],
    ['cumulative', 'cumulative'],
  ])('temporality preference %s is %s', (preference, temporality) => {
    const { config } = read({ [`${E}METRICS_TEMPORALITY_PREFERENCE`]: preference });
    expect(config.metrics?.temporality).toBe(temporality);
  });
});

describe('who sends', () => {
  test.each<[Environment, OtlpConfigOptions, string]>([
    [{}, {}, 'claude-agents'],
    [{ OTEL_RESOURCE_ATTRIBUTES: 'service.name=a' }, {}, 'a'],
    [{ OTEL_RESOURCE_ATTRIBUTES: 'service.name=a', OTEL_SERVICE_NAME: 'b' }, {}, 'b'],
    [{ OTEL_SERVICE_NAME: 'b' }, { resource: { 'service.name': 'c' } }, 'c'],
    [{ OTEL_SERVICE_NAME: 'b' }, { resource: { 'service.name': 'c' }, serviceName: 'd' }, 'd'],
  ])('%j and %j name the service %s', (environment, options, name) => {
    expect(read(environment, options).config.resource['service.name']).toBe(name);
  });

  test('resource attributes are percent-decoded', () => {
    const { config } = read({ OTEL_RESOURCE_ATTRIBUTES: 'deployment.environment.name=pre%2Dprod,team=a%20b' });
    expect(config.resource).toMatchObject({ 'deployment.environment.name': 'pre-prod', team: 'a b' });
  });
});

describe('sampling', () => {
  const LOW = `${'a'.repeat(18)}${'0'.repeat(14)}` as TraceId;
  const HALF = `${'0'.repeat(18)}8${'0'.repeat(13)}` as TraceId;
  const HIGH = 'f'.repeat(32) as TraceId;
  const kept = (environment: Environment, options: OtlpConfigOptions = {}) =>
    [LOW, HALF, HIGH].map((traceId) => {
      const span = { ...agent({ id: 1, ms: [0, 1] }), traceId } as CapturedSpan;
      return read(environment, options).config.sampler(span);
    });

  test.each<[string, string | undefined, readonly boolean[]]>([
    ['always_on', undefined, [true, true, true]],
    ['always_off', undefined, [false, false, false]],
    ['parentbased_always_on', undefined, [true, true, true]],
    ['parentbased_always_off', undefined, [false, false, false]],
    ['traceidratio', undefined, [true, true, true]],
    ['traceidratio', '0', [false, false, false]],
    ['traceidratio', '0.5', [false, true, true]],
    ['parentbased_traceidratio', '0.25', [false, false, true]],
  ])('%s with %s', (name, argument, expected) => {
    expect(kept({ OTEL_TRACES_SAMPLER: name, OTEL_TRACES_SAMPLER_ARG: argument })).toEqual(expected);
  });

  test('everything unless told otherwise, and code before environment', () => {
    expect(kept({})).toEqual([true, true, true]);
    expect(kept({ OTEL_TRACES_SAMPLER: 'always_off' }, { sampler: { type: 'traceidratio', ratio: 0.5 } })).toEqual([
      false,
      true,
      true,
    ]);
  });
});

describe('values that cannot be worked with are refused, with where they came from and what to do', () => {
  test.each<[Environment, OtlpConfigOptions, RegExp]>([
    [
      { [`${E}PROTOCOL`]: 'http/xml' },
      {},
      /"http\/xml".*env OTEL_EXPORTER_OTLP_PROTOCOL.*Use http\/protobuf or http\/json/,
    ],
    [{}, { protocol: 'grpc' as 'http/json' }, /"grpc".*the option protocol.*Use http\/protobuf or http\/json/],
    [{ [`${E}COMPRESSION`]: 'zstd' }, {}, /"zstd".*env OTEL_EXPORTER_OTLP_COMPRESSION.*Use gzip or none/],
    [{ [`${E}TIMEOUT`]: '10s' }, {}, /"10s".*env OTEL_EXPORTER_OTLP_TIMEOUT.*milliseconds/],
    [{ [`${E}ENDPOINT`]: 'collector:4318' }, {}, /env OTEL_EXPORTER_OTLP_ENDPOINT.*http:\/\/localhost:4318/],
    [{ [`${E}ENDPOINT`]: 'http://c/v1/traces' }, {}, /env OTEL_EXPORTER_OTLP_ENDPOINT.*without "\/v1\/traces"/],
    [{}, { url: 'ftp://c' }, /the option url.*http:\/\//],
    [{ [`${E}HEADERS`]: 'a=b,nonsense' }, {}, /entry 2.*env OTEL_EXPORTER_OTLP_HEADERS.*key=value/],
    [{ [`${E}HEADERS`]: 'a=100%' }, {}, /entry 1.*"a".*%25/],
    [{ [`${E}HEADERS`]: 'my key=b' }, {}, /"my key" is no header name/],
    [{}, { headers: { 'x-key': 'abc\n' } }, /"x-key".*the option headers.*line break/],
    [{ OTEL_TRACES_SAMPLER: 'jaeger_remote' }, {}, /"jaeger_remote".*env OTEL_TRACES_SAMPLER.*traceidratio/],
    [
      { OTEL_TRACES_SAMPLER: 'traceidratio', OTEL_TRACES_SAMPLER_ARG: '2' },
      {},
      /"2".*env OTEL_TRACES_SAMPLER_ARG.*0 to 1/,
    ],
    [{}, { sampler: { type: 'traceidratio', ratio: -1 } }, /"-1".*the option sampler/],
    [{ [`${E}METRICS_TEMPORALITY_PREFERENCE`]: 'sometimes' }, {}, /"sometimes".*TEMPORALITY_PREFERENCE/],
  ])('%j %j', (environment, options, message) => {
    expect(() => read(environment, options)).toThrow(message);
    expect(() => read(environment, options)).toThrow(ConfigurationError);
  });

  test('no secret is shown', () => {
    const secret = 'sk-very-secret';
    const wrong: [Environment, OtlpConfigOptions][] = [
      [{ [`${E}HEADERS`]: secret }, {}],
      [{ [`${E}HEADERS`]: `a=${secret}%` }, {}],
      [{ [`${E}ENDPOINT`]: `host/${secret}` }, {}],
      [{ [`${E}ENDPOINT`]: `https://user:${secret}@host/v1/traces` }, {}],
      [{}, { headers: { key: `${secret}\n` } }],
    ];
    for (const [environment, options] of wrong) {
      expect(() => read(environment, options)).toThrow(
        expect.objectContaining({ message: expect.not.stringContaining(secret) as string }),
      );
    }
  });
});
