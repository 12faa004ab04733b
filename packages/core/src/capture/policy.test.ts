import { describe, expect, test } from 'vitest';
import type { CaptureOptions } from '../model/capture-options.ts';
import { ConfigurationError } from '../model/configuration-error.ts';
import { type CapturePolicy, contentNeeds, resolveCapture } from './policy.ts';

const SWITCH = 'OTEL_INSTRUMENTATION_GENAI_CAPTURE_MESSAGE_CONTENT';
const none = { environment: {} };

function shown(policy: CapturePolicy): readonly string[] {
  const { toolInputs, toolOutputs } = policy;
  const fields = ['prompts', 'outputs', 'thinking', 'systemInstructions', 'errors', 'location'] as const;
  return [
    ...fields.filter((field) => policy[field]),
    ...(toolInputs('Bash') ? ['toolInputs'] : []),
    ...(toolOutputs('Bash') ? ['toolOutputs'] : []),
  ];
}

const ALL = ['prompts', 'outputs', 'thinking', 'systemInstructions', 'errors', 'location', 'toolInputs', 'toolOutputs'];
const MESSAGES = ALL.filter((field) => field !== 'location');

describe('what a sink may see', () => {
  test('is metadata where nobody asked for more', () => {
    expect(shown(resolveCapture(undefined, none))).toEqual([]);
  });

  test('is everything with full', () => {
    expect(shown(resolveCapture('full', none))).toEqual(ALL);
  });

  test('is what the fields name, and nothing else', () => {
    expect(shown(resolveCapture({ prompts: true, toolOutputs: (name) => name === 'Bash' }, none))).toEqual([
      'prompts',
      'toolOutputs',
    ]);
  });

  test.each([
    ['true', MESSAGES],
    ['TRUE', MESSAGES],
    ['Span_Only', MESSAGES],
    ['SPAN_AND_EVENT', MESSAGES],
    ['false', []],
    ['no_content', []],
    // Sinks write content to spans; who wants it on events alone does not want it there.
    ['EVENT_ONLY', []],
    ['', []],
  ])('follows the standard switch that is set to "%s"', (value, fields) => {
    expect(shown(resolveCapture(undefined, { environment: { [SWITCH]: value } }))).toEqual(fields);
  });

  test('is what the code says when the standard switch says otherwise', () => {
    expect(shown(resolveCapture('metadata', { environment: { [SWITCH]: 'true' } }))).toEqual([]);
    expect(shown(resolveCapture('full', { environment: { [SWITCH]: 'nonsense' } }))).toEqual(ALL);
  });

  test('does not depend on a choice by tool that fails, and an unknown tool is nobody’s choice', () => {
    const policy = resolveCapture(
      {
        toolInputs: () => {
          throw new Error('no');
        },
        toolOutputs: () => true,
      },
      none,
    );
    expect(policy.toolInputs('Bash')).toBe(false);
    expect(policy.toolOutputs(undefined)).toBe(false);
    expect(resolveCapture('full', none).toolOutputs(undefined)).toBe(true);
  });

  test('applies the redaction of all sinks before that of this one', () => {
    const policy = resolveCapture({ redact: (text) => `${text}2` }, { environment: {}, redact: (text) => `${text}1` });
    expect(policy.redact.reduce((text, redact) => redact(text), '')).toBe('12');
  });
});

describe('wrong configuration', () => {
  test.each([
    ['yes', undefined, /OTEL_INSTRUMENTATION_GENAI_CAPTURE_MESSAGE_CONTENT.*"yes".*SPAN_ONLY/],
    [undefined, 'everything', /everything.*'metadata'/],
    [undefined, null, /capture/],
    [undefined, [], /capture/],
    [undefined, { prompt: true }, /"prompt".*prompts/],
    [undefined, { prompts: 'yes' }, /prompts.*true or false/],
    [undefined, { maxTextBytes: -1 }, /maxTextBytes.*-1/],
    [undefined, { redact: true }, /redact/],
  ])('is told with the value and what it can be: %s %j', (environment, options, message) => {
    const resolve = (): CapturePolicy =>
      resolveCapture(options as CaptureOptions | undefined, { environment: { [SWITCH]: environment } });
    expect(resolve).toThrow(ConfigurationError);
    expect(resolve).toThrow(message);
  });
});

test('the widest sink decides what the command is asked for', () => {
  const policies = [
    resolveCapture({ prompts: true }, none),
    resolveCapture({ toolOutputs: (name) => name === 'Read' }, none),
  ];
  expect(contentNeeds(policies)).toEqual({ prompts: true, outputs: false, toolInputs: false, toolOutputs: true });
  expect(contentNeeds([])).toEqual({ prompts: false, outputs: false, toolInputs: false, toolOutputs: false });
});
