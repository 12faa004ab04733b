import { describe, expect, test } from 'vitest';
import type { SpanId, TraceContext, TraceId } from '../../model/ids.ts';
import { childEnvironment, type CliContent, type Environment, telemetryWish } from './child-environment.ts';

const context: TraceContext = {
  traceId: '0af7651916cd43dd8448eb211c80319c' as TraceId,
  spanId: 'b7ad6b7169203331' as SpanId,
  sampled: true,
};
const nothing: CliContent = { prompts: false, outputs: false, toolDetails: false, toolOutputs: false };

function environmentOf(
  user: Environment,
  content: Partial<CliContent> = {},
  isInherited = false,
): Record<string, string | undefined> {
  return childEnvironment(user, {
    isInherited,
    endpoint: (signal) => `http://127.0.0.1:1/token/v1/${signal}`,
    context,
    content: { ...nothing, ...content },
  });
}

describe('the environment of a child', () => {
  test.each([
    // https://code.claude.com/docs/en/monitoring-usage
    ['CLAUDE_CODE_ENABLE_TELEMETRY', '1'],
    ['CLAUDE_CODE_ENHANCED_TELEMETRY_BETA', '1'],
    ['OTEL_TRACES_EXPORTER', 'otlp'],
    ['OTEL_LOGS_EXPORTER', 'otlp'],
    ['OTEL_METRICS_EXPORTER', 'otlp'],
    ['OTEL_EXPORTER_OTLP_TRACES_ENDPOINT', 'http://127.0.0.1:1/token/v1/traces'],
    ['OTEL_EXPORTER_OTLP_LOGS_ENDPOINT', 'http://127.0.0.1:1/token/v1/logs'],
    ['OTEL_EXPORTER_OTLP_METRICS_ENDPOINT', 'http://127.0.0.1:1/token/v1/metrics'],
    ['OTEL_EXPORTER_OTLP_TRACES_PROTOCOL', 'http/protobuf'],
    ['OTEL_EXPORTER_OTLP_LOGS_PROTOCOL', 'http/protobuf'],
    ['OTEL_EXPORTER_OTLP_METRICS_PROTOCOL', 'http/protobuf'],
    ['OTEL_EXPORTER_OTLP_TRACES_COMPRESSION', 'none'],
    ['OTEL_EXPORTER_OTLP_LOGS_COMPRESSION', 'none'],
    ['OTEL_EXPORTER_OTLP_METRICS_COMPRESSION', 'none'],
    ['OTEL_TRACES_SAMPLER', 'always_on'],
    ['OTEL_EXPORTER_OTLP_METRICS_TEMPORALITY_PREFERENCE', 'delta'],
    // https://www.w3.org/TR/trace-context/#traceparent-header
    ['TRACEPARENT', '00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01'],
  ])('has %s=%s, whatever the user says of it', (name, value) => {
    expect(environmentOf({})[name]).toBe(value);
    expect(environmentOf({ [name]: 'of the user' })[name]).toBe(value);
  });

  test.each(['OTEL_TRACES_EXPORT_INTERVAL', 'OTEL_LOGS_EXPORT_INTERVAL', 'OTEL_METRIC_EXPORT_INTERVAL'])(
    'has %s in whole milliseconds below the time that a span waits',
    (name) => {
      const interval = Number(environmentOf({ [name]: '60000' })[name]);
      expect(Number.isInteger(interval)).toBe(true);
      expect(interval).toBeGreaterThan(0);
      expect(interval).toBeLessThan(2_000);
    },
  );

  test.each([
    'OTEL_ATTRIBUTE_COUNT_LIMIT',
    'OTEL_ATTRIBUTE_VALUE_LENGTH_LIMIT',
    'OTEL_SPAN_ATTRIBUTE_COUNT_LIMIT',
    'OTEL_SPAN_ATTRIBUTE_VALUE_LENGTH_LIMIT',
    'OTEL_SPAN_EVENT_COUNT_LIMIT',
    'OTEL_EVENT_ATTRIBUTE_COUNT_LIMIT',
    'OTEL_LOGRECORD_ATTRIBUTE_COUNT_LIMIT',
    'OTEL_LOGRECORD_ATTRIBUTE_VALUE_LENGTH_LIMIT',
  ])('lacks %s, a limit of the application’s own', (name) => {
    expect(environmentOf({ [name]: '3' })).not.toHaveProperty(name);
  });

  test.each([
    ['PATH', '/bin'],
    ['ANTHROPIC_BASE_URL', 'http://gateway'],
    ['OTEL_EXPORTER_OTLP_ENDPOINT', 'http://application:4318'],
    ['OTEL_EXPORTER_OTLP_HEADERS', 'authorization=secret'],
    ['OTEL_SERVICE_NAME', 'application'],
    ['OTEL_RESOURCE_ATTRIBUTES', 'team=a'],
  ])('leaves %s as the user has it', (name, value) => {
    expect(environmentOf({ [name]: value })[name]).toBe(value);
  });

  test.each([
    ['prompts', 'OTEL_LOG_USER_PROMPTS'],
    ['outputs', 'OTEL_LOG_ASSISTANT_RESPONSES'],
    ['toolDetails', 'OTEL_LOG_TOOL_DETAILS'],
    ['toolOutputs', 'OTEL_LOG_TOOL_CONTENT'],
  ] as const)('asks for %s by %s only where they are needed and the user has not decided', (content, name) => {
    expect(environmentOf({})).not.toHaveProperty(name);
    expect(environmentOf({ [name]: '1' })[name]).toBe('1');
    expect(environmentOf({}, { [content]: true })[name]).toBe('1');
    expect(environmentOf({ [name]: '0' }, { [content]: true })[name]).toBe('0');
  });

  test('tells the child of a sampled parent even where nothing is sampled, for the CLI would keep silent', () => {
    const environment = childEnvironment(
      {},
      { endpoint: () => undefined, context: { ...context, sampled: false }, content: nothing, isInherited: false },
    );
    expect(environment['TRACEPARENT']).toMatch(/-01$/);
  });

  // As sdk.mjs 0.3.329 does where it is given no `env`, in any case of letters.
  test.each([
    'CLAUDE_CODE_QUESTION_EXTENDED',
    'CLAUDE_CODE_QUESTION_OPTIONAL_DESCRIPTIONS',
    'CLAUDE_CODE_AGENT_PROGRESS_SUMMARIES',
    'claude_code_question_extended',
  ])('lacks %s where this process inherited it, and has it where the user gave it', (name) => {
    expect(environmentOf({ [name]: '1' }, {}, true)).not.toHaveProperty(name);
    expect(environmentOf({ [name]: '1' }, {}, false)[name]).toBe('1');
  });

  test('has the state of the trace that it stands in, and none of another', () => {
    const user = { TRACESTATE: 'other=1' };
    const own = { endpoint: () => undefined, content: nothing, isInherited: true };
    expect(childEnvironment(user, { ...own, context })['TRACESTATE']).toBeUndefined();
    // There, though without a value: the SDK fills in what is not there.
    expect(childEnvironment(user, { ...own, context })).toHaveProperty('TRACESTATE');
    expect(childEnvironment(user, { ...own, context: { ...context, traceState: 'own=1' } })['TRACESTATE']).toBe(
      'own=1',
    );
  });

  test('is a copy: the user’s own stays as it is', () => {
    const user = Object.freeze({ A: '1', OTEL_SPAN_EVENT_COUNT_LIMIT: '3' });
    expect(environmentOf(user)['A']).toBe('1');
    expect(user).toEqual({ A: '1', OTEL_SPAN_EVENT_COUNT_LIMIT: '3' });
  });
});

describe('what the user wants of the CLI’s telemetry', () => {
  test.each<[Environment, string]>([
    [{}, 'unset'],
    [{ CLAUDE_CODE_ENABLE_TELEMETRY: undefined }, 'unset'],
    [{ OTEL_TRACES_EXPORTER: 'otlp' }, 'unset'],
    [{ CLAUDE_CODE_ENABLE_TELEMETRY: '' }, 'off'],
    [{ CLAUDE_CODE_ENABLE_TELEMETRY: '0' }, 'off'],
    [{ CLAUDE_CODE_ENABLE_TELEMETRY: 'false' }, 'off'],
    [{ CLAUDE_CODE_ENABLE_TELEMETRY: ' No ' }, 'off'],
    [{ CLAUDE_CODE_ENABLE_TELEMETRY: 'OFF', OTEL_LOGS_EXPORTER: 'otlp' }, 'off'],
    [{ CLAUDE_CODE_ENABLE_TELEMETRY: '1' }, 'unset'],
    [{ CLAUDE_CODE_ENABLE_TELEMETRY: '1', OTEL_TRACES_EXPORTER: 'none' }, 'unset'],
    [{ CLAUDE_CODE_ENABLE_TELEMETRY: '1', OTEL_TRACES_EXPORTER: ' ' }, 'unset'],
    [{ CLAUDE_CODE_ENABLE_TELEMETRY: '1', OTEL_TRACES_EXPORTER: 'otlp' }, 'exported'],
    [{ CLAUDE_CODE_ENABLE_TELEMETRY: 'true', OTEL_LOGS_EXPORTER: 'console' }, 'exported'],
    [{ CLAUDE_CODE_ENABLE_TELEMETRY: '1', OTEL_METRICS_EXPORTER: 'prometheus' }, 'exported'],
  ])('%o is %s', (environment, wish) => {
    expect(telemetryWish(environment)).toBe(wish);
  });
});
