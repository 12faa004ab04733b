import * as Sentry from '@sentry/node';
import type { CaptureOptions, Diag, Sink } from '@spanprism/core';
import { wrongValue } from '@spanprism/core/otlp';

/** A span whose failure can become an error in Sentry. */
export type FailureKind = 'agent' | 'llm' | 'tool';
export const FAILURES: readonly FailureKind[] = ['agent', 'llm', 'tool'];

/** What the sink, the integration and `instrumentClaudeQuery` have in common. */
export interface SentryOptions {
  /** Whether prompts, system instructions and arguments of tools go to Sentry; what you wrote in `Sentry.init` unless given. */
  readonly recordInputs?: boolean;
  /** Whether answers, thinking and results of tools go to Sentry; what you wrote in `Sentry.init` unless given. */
  readonly recordOutputs?: boolean;
  /** Content field by field; beats the two above. */
  readonly capture?: CaptureOptions;
  /** Whether a tool call hangs below its agent (default) or below the call that asked for it. */
  readonly toolParent?: 'agent' | 'llm';
  /** Which failures become errors in Sentry: all (default), none, or those of some kinds of span. */
  readonly captureErrors?: boolean | FailureKind | readonly FailureKind[];
  /** Diagnostics; those of `createTracing` unless given. */
  readonly diag?: Diag;
}

/** Values, or what `typeof` says; what `capture` can be is core's to say. */
const EXPECTED: Readonly<Record<string, readonly unknown[] | string | undefined>> = {
  recordInputs: [true, false],
  recordOutputs: [true, false],
  capture: undefined,
  toolParent: ['agent', 'llm'],
  captureErrors: [true, false, ...FAILURES],
  diag: 'function',
};

/** Throws a `ConfigurationError` for an option that is wrong or that `factory` does not have; `nameOption` is what it calls its name. */
export function checkOptions(options: object, factory: string, nameOption: 'name' | 'agentName'): void {
  const known = { ...EXPECTED, [nameOption]: 'string' };
  const from = `the options of ${factory}`;
  for (const [name, value] of Object.entries(options)) {
    if (!Object.hasOwn(known, name))
      throw wrongValue(`There is no option ${name}`, { from, fix: `There are ${Object.keys(known).join(', ')}.` });
    const expected = known[name];
    const isRight = [value].flat().every((one) => [expected].flat().includes(one) || typeof one === expected);
    if (value === undefined || expected === undefined || isRight) continue;
    const fix = `It can be ${[expected].flat().join(', ')}.`;
    throw wrongValue(`${name} is ${JSON.stringify(value)}`, { from, fix });
  }
}

interface UserOptions {
  readonly sendDefaultPii?: boolean;
  readonly dataCollection?: { readonly genAI?: { readonly inputs?: boolean; readonly outputs?: boolean } };
}

/** What may go to Sentry: as its options say or, for when nobody has given a `capture`, as `Sentry.init` was told. */
export function captureOf({ capture, recordInputs, recordOutputs }: SentryOptions): Partial<Sink> {
  if (capture !== undefined) return { capture };
  // As the user wrote them: what Sentry makes of them has its own defaults in it, which are none of his words.
  const { sendDefaultPii, dataCollection }: UserOptions = (Sentry.getClient()?.getOptions() ?? {}) as UserOptions;
  const inputs = recordInputs ?? dataCollection?.genAI?.inputs ?? sendDefaultPii;
  const outputs = recordOutputs ?? dataCollection?.genAI?.outputs ?? sendDefaultPii;
  if ((inputs ?? outputs) === undefined) return {};
  const [input, output] = [inputs === true, outputs === true];
  const ofInputs = { prompts: input, systemInstructions: input, toolInputs: input };
  // What an API or a tool complains about may quote either.
  const fields = { ...ofInputs, outputs: output, thinking: output, toolOutputs: output, errors: input && output };
  return (recordInputs ?? recordOutputs) === undefined ? { captureBySettings: fields } : { capture: fields };
}
