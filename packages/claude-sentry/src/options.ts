import type { CaptureOptions, Diag } from '@spanprism/core';
import { wrongValue } from '@spanprism/core/otlp';

/** A span whose failure can become an error in Sentry. */
export type FailureKind = 'agent' | 'llm' | 'tool';

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
  /** Which failures become errors in Sentry: all (default), none, or those of these kinds of span. */
  readonly captureErrors?: boolean | readonly FailureKind[];
  /** Diagnostics; those of `createTracing` unless given. */
  readonly diag?: Diag;
}

export const FAILURES: readonly FailureKind[] = ['agent', 'llm', 'tool'];

/** What an option can be; `capture` is core's to judge. */
const EXPECTED: Readonly<Record<string, string>> = {
  recordInputs: 'true or false',
  recordOutputs: 'true or false',
  capture: 'what createTracing takes',
  toolParent: "'agent' or 'llm'",
  captureErrors: "true, false or a list of 'agent', 'llm', 'tool'",
  diag: 'a function that takes a level and a message',
};

function isRight(option: string, value: unknown): boolean {
  if (option === 'captureErrors' && Array.isArray(value)) return value.every((kind) => FAILURES.includes(kind));
  if (option === 'toolParent') return value === 'agent' || value === 'llm';
  if (option === 'diag') return typeof value === 'function';
  if (option.endsWith('ame')) return typeof value === 'string' && value !== '';
  return option === 'capture' || typeof value === 'boolean';
}

/** Throws a `ConfigurationError` for an option that is wrong or that `factory` does not have; `nameOption` is what it calls its name. */
export function checkOptions(options: object, factory: string, nameOption: 'name' | 'agentName'): void {
  const expected = { ...EXPECTED, [nameOption]: 'a name' };
  const from = `the options of ${factory}`;
  for (const [name, value] of Object.entries(options)) {
    if (!Object.hasOwn(expected, name))
      throw wrongValue(`There is no option ${name}`, { from, fix: `There are ${Object.keys(expected).join(', ')}.` });
    if (value !== undefined && !isRight(name, value))
      throw wrongValue(`${name} is ${JSON.stringify(value)}`, { from, fix: `It can be ${expected[name]}.` });
  }
}

/** Of the options of `Sentry.init` as the user wrote them: what Sentry makes of them has its own defaults in it, which are none of his words. */
export interface UserOptions {
  readonly sendDefaultPii?: boolean | undefined;
  readonly dataCollection?: { readonly genAI?: { readonly inputs?: boolean; readonly outputs?: boolean } };
}

/** What may go to Sentry; undefined when nobody here has said anything about it, and `createTracing` decides. */
export function captureOf(options: SentryOptions, user: UserOptions): CaptureOptions | undefined {
  if (options.capture !== undefined) return options.capture;
  const said = user.dataCollection?.genAI;
  const inputs = options.recordInputs ?? said?.inputs ?? user.sendDefaultPii;
  const outputs = options.recordOutputs ?? said?.outputs ?? user.sendDefaultPii;
  if (inputs === undefined && outputs === undefined) return undefined;
  const [input, output] = [inputs === true, outputs === true];
  const ofInputs = { prompts: input, systemInstructions: input, toolInputs: input };
  // What an API or a tool complains about may quote either.
  return { ...ofInputs, outputs: output, thinking: output, toolOutputs: output, errors: input && output };
}
