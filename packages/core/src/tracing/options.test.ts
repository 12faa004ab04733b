import { describe, expect, test } from 'vitest';
import { ConfigurationError } from '../model/configuration-error.ts';
import { memorySink } from '../sinks/memory-sink.ts';
import { stderrDiag } from '../otlp/config/stderr-diag.ts';
import { checkOptions, plainAttributes, routesOf, type TracingOptions } from './options.ts';

const sinks = [memorySink()];

describe('options', () => {
  test.each<[string, unknown, RegExp]>([
    ['none', undefined, /sinks/],
    ['null', null, /sinks/],
    ['no sinks', {}, /sinks/],
    ['a sink that is alone', { sinks: memorySink() }, /sinks/],
    ['a factory that was not called', { sinks: [memorySink] }, /sinks\[0\].*called/],
    ['a sink that is undefined', { sinks: [...sinks, undefined] }, /sinks\[1\]/],
    ['two sinks of one name', { sinks: [memorySink(), memorySink()] }, /memory.*name/],
    ['an option that does not exist', { sinks, captrue: 'full' }, /no option captrue.*capture/],
    ['a name of Object.prototype', { sinks, toString: 1 }, /no option toString/],
    ['cliTelemetry: true', { sinks, cliTelemetry: true }, /cliTelemetry.*true.*'auto', 'on' or 'off'/],
    ["cliTelemetry: 'maybe'", { sinks, cliTelemetry: 'maybe' }, /cliTelemetry.*maybe/],
    ['readyWithinMs: -1', { sinks, readyWithinMs: -1 }, /readyWithinMs.*-1.*milliseconds, 0 or more/],
    ['readyWithinMs: NaN', { sinks, readyWithinMs: Number.NaN }, /readyWithinMs.*NaN/],
    ["readyWithinMs: '1'", { sinks, readyWithinMs: '1' }, /readyWithinMs/],
    ["hooks: 'x'", { sinks, hooks: 'x' }, /hooks/],
    ['agentName: 7', { sinks, agentName: 7 }, /agentName/],
    ['attributes: 4', { sinks, attributes: 4 }, /attributes/],
    ['attributes: null', { sinks, attributes: null }, /attributes/],
    ['redact: 5', { sinks, redact: 5 }, /redact/],
    ['diag: 3', { sinks, diag: 3 }, /diag/],
  ])('with %s are wrong, and the error says what', (_, options, message) => {
    const check = (): unknown => checkOptions(options as TracingOptions);
    expect(check).toThrow(ConfigurationError);
    expect(check).toThrow(message);
  });

  test.each<[string, TracingOptions]>([
    ['sinks alone', { sinks }],
    ['no sink', { sinks: [] }],
    ['sinks with names', { sinks: [memorySink(), memorySink({ name: 'other' })] }],
    ['undefined', { sinks, hooks: undefined } as unknown as TracingOptions],
    [
      'everything',
      {
        sinks,
        capture: 'full',
        cliTelemetry: 'on',
        readyWithinMs: 0,
        hooks: true,
        agentName: 'main',
        attributes: { team: 'a' },
        redact: (text) => text,
        diag: () => undefined,
      },
    ],
  ])('with %s are right', (_, options) => {
    expect(checkOptions(options)).toBe(options);
  });

  test('with a capture that does not exist are wrong', () => {
    expect(() => routesOf({ sinks, capture: 'ful' as 'full' }, {})).toThrow(ConfigurationError);
  });
});

describe('routes', () => {
  test('share one policy among the sinks that say nothing of capture', () => {
    const own = memorySink({ name: 'own', capture: 'full' });
    const [a, b, c] = routesOf({ sinks: [memorySink(), memorySink({ name: 'b' }), own] }, {});
    expect(a?.policy).toBe(b?.policy);
    expect(c?.policy).not.toBe(a?.policy);
  });

  test('show what the settings of a vendor say only where nobody has given a capture', () => {
    const told = { ...memorySink(), captureBySettings: 'full' } as const;
    const promptsOf = (options: TracingOptions, environment = {}): boolean | undefined =>
      routesOf(options, environment)[0]?.policy.prompts;
    expect(promptsOf({ sinks: [told] })).toBe(true);
    expect(promptsOf({ sinks: [told], capture: 'metadata' })).toBe(false);
    expect(promptsOf({ sinks: [{ ...told, capture: 'metadata' }] })).toBe(false);
    const silent = { ...told, captureBySettings: 'metadata' } as const;
    const environment = { OTEL_INSTRUMENTATION_GENAI_CAPTURE_MESSAGE_CONTENT: 'true' };
    expect(promptsOf({ sinks: [silent] }, environment)).toBe(false);
  });
});

describe('attributes of the user', () => {
  test('get the names that backends know, lists become JSON, and what is undefined is absent', () => {
    expect(
      plainAttributes({ userId: 'ada', sessionName: 's', tags: ['a', 'b'], n: 1, yes: true, none: undefined }),
    ).toEqual({ 'user.id': 'ada', 'session.name': 's', tags: '["a","b"]', n: 1, yes: true });
  });
});

describe('diagnostics on stderr', () => {
  test.each([
    [{}, ['warn', 'error']],
    [{ OTEL_DEBUG: '0' }, ['warn', 'error']],
    [{ OTEL_DEBUG: '1' }, ['debug', 'info', 'warn', 'error']],
    [{ OTEL_DEBUG: 'true' }, ['debug', 'info', 'warn', 'error']],
  ])('with %o show %o', (environment, shown) => {
    const written: string[] = [];
    const { write } = process.stderr;
    process.stderr.write = ((text: string) => written.push(text) > 0) as typeof write;
    try {
      const diag = stderrDiag(environment);
      for (const level of ['debug', 'info', 'warn', 'error'] as const) diag(level, 'words');
    } finally {
      process.stderr.write = write;
    }
    expect(written).toEqual(shown.map((level) => `spanprism ${level}: words\n`));
  });
});
