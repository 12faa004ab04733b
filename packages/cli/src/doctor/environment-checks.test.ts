import { describe, expect, test } from 'vitest';
import { environmentFindings } from './environment-checks.ts';

const PARENT = '0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331';
const E = 'OTEL_EXPORTER_OTLP_';

describe('what is wrong with a variable has a code, and names it', () => {
  test.each<[string, Record<string, string>]>([
    ['wrong_protocol', { [`${E}PROTOCOL`]: 'http/xml' }],
    ['wrong_protocol', { [`${E}TRACES_PROTOCOL`]: 'protobuf' }],
    ['headers_malformed', { [`${E}HEADERS`]: 'authorization: Bearer sk-secret-key' }],
    ['headers_malformed', { [`${E}TRACES_HEADERS`]: 'x-key=sk-secret-key%' }],
    ['headers_malformed', { [`${E}HEADERS`]: 'x key=sk-secret-key' }],
    ['headers_malformed', { [`${E}HEADERS`]: 'x-key=sk-secret-key%0Ax-more=1' }],
    ['missing_v1_traces', { [`${E}TRACES_ENDPOINT`]: 'http://collector:4318' }],
    ['configuration', { [`${E}ENDPOINT`]: 'http://collector:4318/v1/traces' }],
    ['exporter_none', { OTEL_TRACES_EXPORTER: 'none' }],
    ['exporter_none', { OTEL_LOGS_EXPORTER: 'None' }],
    ['exporter_none', { OTEL_METRICS_EXPORTER: 'none' }],
    ['sdk_disabled', { OTEL_SDK_DISABLED: 'true' }],
    ['unsampled_parent', { TRACEPARENT: `00-${PARENT}-00` }],
    ['traceparent_malformed', { TRACEPARENT: '00-abc-def-01' }],
    ['sampler_off', { OTEL_TRACES_SAMPLER: 'always_off' }],
    ['sampler_off', { OTEL_TRACES_SAMPLER: 'parentbased_always_off' }],
    ['sampler_off', { OTEL_TRACES_SAMPLER: 'parentbased_traceidratio', OTEL_TRACES_SAMPLER_ARG: '0' }],
    ['sampler_off', { LOGFIRE_TRACE_SAMPLE_RATE: '0.0' }],
  ])('%s: %j', (code, env) => {
    const findings = environmentFindings(env);
    const [variable] = Object.keys(env);
    expect(findings).toMatchObject([{ code, where: `env ${variable}` }]);
    for (const { what, fix } of findings) {
      expect(what).toMatch(/\S/);
      expect(fix).toMatch(/\.$/);
      expect(what + fix).not.toContain('sk-secret-key');
    }
  });
});

test.each<Record<string, string>>([
  {},
  { [`${E}ENDPOINT`]: 'http://collector:4318', [`${E}PROTOCOL`]: 'HTTP/JSON', [`${E}HEADERS`]: 'a=b%2Cc, d=e' },
  { [`${E}TRACES_ENDPOINT`]: 'https://collector/custom/path', [`${E}PROTOCOL`]: ' ' },
  // Meant for gRPC, whose endpoints have no path; what is sent instead finds its own.
  { [`${E}TRACES_ENDPOINT`]: 'http://collector:4317', [`${E}PROTOCOL`]: 'grpc' },
  { OTEL_TRACES_EXPORTER: 'otlp', OTEL_SDK_DISABLED: 'false' },
  { OTEL_TRACES_SAMPLER: 'traceidratio', OTEL_TRACES_SAMPLER_ARG: '0.1' },
  { TRACEPARENT: `00-${PARENT}-01` },
])('nothing is wrong with %j', (env) => {
  expect(environmentFindings(env)).toEqual([]);
});

test('every variable that is wrong is named', () => {
  const findings = environmentFindings({
    [`${E}PROTOCOL`]: 'x',
    [`${E}LOGS_PROTOCOL`]: 'y',
    OTEL_TRACES_EXPORTER: 'none',
  });
  expect(findings.map(({ where }) => where)).toEqual([
    `env ${E}PROTOCOL`,
    `env ${E}LOGS_PROTOCOL`,
    'env OTEL_TRACES_EXPORTER',
  ]);
});

test('what may be a key in the wrong place is not shown', () => {
  const [finding] = environmentFindings({ [`${E}PROTOCOL`]: 'sk-ant-api03-abcdefghijklmnop' });
  expect(finding?.what).toBe('"…" is no protocol of OTLP');
});
