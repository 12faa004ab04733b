import * as Sentry from '@sentry/node';
import { resolveCapture } from '@spanprism/core';
import { expect, test } from 'vitest';
import type { SentryOptions } from './options.ts';
import { sentrySink } from './sentry-sink.ts';

type Init = Pick<NonNullable<Parameters<typeof Sentry.init>[0]>, 'dataCollection'> & {
  readonly sendDefaultPii?: boolean;
};

/** What goes to Sentry: inputs, outputs and words of errors. */
async function seen(init: Init, options: SentryOptions = {}): Promise<readonly boolean[]> {
  await Sentry.close(0);
  Sentry.init({ dsn: 'http://k@127.0.0.1:9/1', tracesSampleRate: 1, defaultIntegrations: false, ...init });
  const { capture, captureBySettings } = sentrySink(options);
  const policy = resolveCapture(capture ?? captureBySettings, { environment: {} });
  const inputs = [policy.prompts, policy.toolInputs('Bash'), policy.systemInstructions];
  const outputs = [policy.outputs, policy.toolOutputs('Bash'), policy.thinking];
  for (const group of [inputs, outputs]) expect(new Set(group).size).toBe(1);
  expect(policy.location).toBe(false);
  return [policy.prompts, policy.outputs, policy.errors];
}

const NOTHING = [false, false, false];
const ALL = [true, true, true];

test('of itself no content goes to Sentry, whatever the default of its version', async () => {
  expect(await seen({})).toEqual(NOTHING);
  expect(await seen({ dataCollection: {} })).toEqual(NOTHING);
  expect(sentrySink()).not.toHaveProperty('capture');
});

test('what the user wrote in Sentry.init counts', async () => {
  expect(await seen({ sendDefaultPii: true })).toEqual(ALL);
  expect(await seen({ sendDefaultPii: false })).toEqual(NOTHING);
  expect(await seen({ dataCollection: { genAI: { inputs: true, outputs: true } } })).toEqual(ALL);
  expect(await seen({ dataCollection: { genAI: { inputs: true } } })).toEqual([true, false, false]);
  expect(await seen({ dataCollection: { genAI: { outputs: false } }, sendDefaultPii: true })).toEqual([
    true,
    false,
    false,
  ]);
});

test('but only where nobody has given a `capture`, and so it is no `capture` of the sink', async () => {
  await seen({ sendDefaultPii: true });
  expect(sentrySink()).not.toHaveProperty('capture');
  expect(sentrySink()).toHaveProperty('captureBySettings');
  expect(sentrySink({ recordInputs: true })).not.toHaveProperty('captureBySettings');
});

test('recordInputs and recordOutputs go before that', async () => {
  expect(await seen({ sendDefaultPii: true }, { recordInputs: false })).toEqual([false, true, false]);
  expect(await seen({}, { recordOutputs: true })).toEqual([false, true, false]);
  expect(
    await seen(
      { dataCollection: { genAI: { inputs: false, outputs: false } } },
      { recordInputs: true, recordOutputs: true },
    ),
  ).toEqual(ALL);
});

test('capture goes before everything', async () => {
  expect(await seen({ sendDefaultPii: true }, { capture: 'metadata', recordInputs: true })).toEqual(NOTHING);
  expect(await seen({}, { capture: { prompts: true, toolInputs: true, systemInstructions: true } })).toEqual([
    true,
    false,
    false,
  ]);
});

test.each([
  [{ recordInput: true }, 'There is no option recordInput (from the options of sentrySink). There are recordInputs,'],
  [{ toolParent: 'tool' }, 'toolParent is "tool" (from the options of sentrySink). It can be agent, llm.'],
  [{ captureErrors: ['turn'] }, 'captureErrors is ["turn"]'],
  [{ recordOutputs: 'yes' }, 'recordOutputs is "yes"'],
])('%j is wrong', (options, message) => {
  expect(() => sentrySink(options as SentryOptions)).toThrow(message);
});
