import type { TraceContext } from '@spanprism/core/child';
import { describe, expect, test } from 'vitest';
import { environmentOf } from './child-environment.ts';
import { ownTelemetry } from './own-telemetry.ts';

const ON = { CLAUDE_CODE_ENABLE_TELEMETRY: '1' };
const CONTEXT = {
  traceId: '0123456789abcdef0123456789abcdef',
  spanId: '0123456789abcdef',
  sampled: true,
} as TraceContext;

function childOf(
  env: Readonly<Record<string, string>>,
  wantsContent = true,
  settings: Readonly<Record<string, string>> = {},
): Readonly<Record<string, string | undefined>> {
  const endpoint = (signal: string): string => `http://127.0.0.1:1/token/v1/${signal}`;
  const exported = { ...env, ...settings };
  return environmentOf({ env, exported, own: ownTelemetry(exported), endpoint, context: CONTEXT, wantsContent });
}

describe('the user’s own telemetry', () => {
  test.each<[string, Readonly<Record<string, string>>, object]>([
    ['nothing without the switch', { OTEL_LOGS_EXPORTER: 'otlp' }, {}],
    ['nothing that is switched off', { CLAUDE_CODE_ENABLE_TELEMETRY: '0', OTEL_LOGS_EXPORTER: 'otlp' }, {}],
    [
      'a signal by its exporter, to the general endpoint',
      { ...ON, OTEL_LOGS_EXPORTER: 'console,otlp', OTEL_EXPORTER_OTLP_ENDPOINT: 'https://c.example/base/' },
      { logs: { url: 'https://c.example/base/v1/logs', protocol: 'http/protobuf' } },
    ],
    [
      'an endpoint of its own as it is',
      {
        ...ON,
        OTEL_METRICS_EXPORTER: 'otlp',
        OTEL_EXPORTER_OTLP_METRICS_ENDPOINT: 'https://m.example/in',
        OTEL_EXPORTER_OTLP_METRICS_PROTOCOL: 'http/json',
      },
      { metrics: { url: 'https://m.example/in', protocol: 'http/json' } },
    ],
    [
      'gRPC without a path',
      { ...ON, OTEL_LOGS_EXPORTER: 'otlp', OTEL_EXPORTER_OTLP_PROTOCOL: 'grpc' },
      { logs: { url: 'http://localhost:4317', protocol: 'grpc' } },
    ],
    ['spans only with the beta switch', { ...ON, OTEL_TRACES_EXPORTER: 'otlp' }, {}],
    [
      'spans with it',
      { ...ON, OTEL_TRACES_EXPORTER: 'otlp', CLAUDE_CODE_ENHANCED_TELEMETRY_BETA: '1' },
      { traces: { url: 'http://localhost:4318/v1/traces', protocol: 'http/protobuf' } },
    ],
  ])('is %s', (_name, env, own) => {
    expect(ownTelemetry(env)).toEqual(own);
  });
});

describe('the environment of the child', () => {
  test('reports to us alone where the user has nothing set up', () => {
    const made = childOf({ PATH: '/bin' });
    expect(made).toMatchObject({
      PATH: '/bin',
      CLAUDE_CODE_ENABLE_TELEMETRY: '1',
      OTEL_TRACES_EXPORTER: 'otlp',
      OTEL_EXPORTER_OTLP_LOGS_ENDPOINT: 'http://127.0.0.1:1/token/v1/logs',
      OTEL_LOG_USER_PROMPTS: '1',
      OTEL_LOG_TOOL_CONTENT: '1',
      TRACEPARENT: '00-0123456789abcdef0123456789abcdef-0123456789abcdef-01',
    });
    expect(childOf({}, false)['OTEL_LOG_USER_PROMPTS']).toBeUndefined();
  });

  test('keeps what the user exports as he has it, but for the address, and asks for no content beside', () => {
    const env = {
      ...ON,
      OTEL_LOGS_EXPORTER: 'console,otlp',
      OTEL_EXPORTER_OTLP_PROTOCOL: 'grpc',
      OTEL_EXPORTER_OTLP_ENDPOINT: 'http://c.example:4317',
      OTEL_EXPORTER_OTLP_HEADERS: 'x-key=mine',
      OTEL_EXPORTER_OTLP_LOGS_COMPRESSION: 'gzip',
      OTEL_LOGS_EXPORT_INTERVAL: '30000',
      OTEL_ATTRIBUTE_VALUE_LENGTH_LIMIT: '100',
    };
    const made = childOf(env);
    expect(made).toMatchObject({
      OTEL_LOGS_EXPORTER: 'console,otlp',
      OTEL_EXPORTER_OTLP_LOGS_PROTOCOL: 'http/protobuf',
      OTEL_EXPORTER_OTLP_LOGS_ENDPOINT: 'http://127.0.0.1:1/token/v1/logs',
      OTEL_EXPORTER_OTLP_HEADERS: 'x-key=mine',
      OTEL_EXPORTER_OTLP_LOGS_COMPRESSION: 'gzip',
      OTEL_LOGS_EXPORT_INTERVAL: '30000',
      OTEL_ATTRIBUTE_VALUE_LENGTH_LIMIT: '100',
      OTEL_TRACES_EXPORTER: 'otlp',
      OTEL_TRACES_EXPORT_INTERVAL: '500',
    });
    expect(Object.keys(made).filter((name) => name.startsWith('OTEL_LOG_'))).toEqual([]);
  });

  test('asks for no content where a settings file sends a signal elsewhere, nor for what its user does not export there', () => {
    const set = { ...ON, OTEL_LOGS_EXPORTER: 'otlp', OTEL_EXPORTER_OTLP_LOGS_ENDPOINT: 'http://c.example/logs' };
    const made = childOf({}, true, set);
    expect(Object.keys(made).filter((name) => name.startsWith('OTEL_LOG_'))).toEqual([]);
    expect(made['OTEL_EXPORTER_OTLP_TRACES_ENDPOINT']).toBe('http://127.0.0.1:1/token/v1/traces');
    const silent = childOf({}, true, { OTEL_EXPORTER_OTLP_LOGS_ENDPOINT: 'http://c.example/logs' });
    expect(silent).toMatchObject({ OTEL_LOGS_EXPORTER: 'none', OTEL_TRACES_EXPORTER: 'otlp' });
    expect(Object.keys(silent).filter((name) => name.startsWith('OTEL_LOG_'))).toEqual([]);
  });

  test('of a set-up in a settings file comes to us first where only its general address is named', () => {
    const set = { ...ON, OTEL_LOGS_EXPORTER: 'otlp', OTEL_EXPORTER_OTLP_ENDPOINT: 'http://c.example:4318' };
    expect(ownTelemetry(set).logs?.url).toBe('http://c.example:4318/v1/logs');
    const made = childOf({}, true, set);
    expect(made['OTEL_EXPORTER_OTLP_LOGS_ENDPOINT']).toBe('http://127.0.0.1:1/token/v1/logs');
    expect(Object.keys(made).filter((name) => name.startsWith('OTEL_LOG_'))).toEqual([]);
  });

  test('leaves the user’s own spans where they hang', () => {
    const env = {
      ...ON,
      CLAUDE_CODE_ENHANCED_TELEMETRY_BETA: '1',
      OTEL_TRACES_EXPORTER: 'otlp',
      OTEL_TRACES_SAMPLER: 'traceidratio',
      TRACEPARENT: '00-11111111111111111111111111111111-2222222222222222-01',
    };
    expect(childOf(env)).toMatchObject({ TRACEPARENT: env.TRACEPARENT, OTEL_TRACES_SAMPLER: 'traceidratio' });
  });
});
