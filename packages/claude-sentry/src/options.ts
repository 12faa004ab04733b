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

const FAILURES: readonly unknown[] = ['agent', 'llm', 'tool'] satisfies readonly FailureKind[];

type Check = readonly [isRight: (value: unknown) => boolean, expected: string];
const FLAG: Check = [(value) => typeof value === 'boolean', 'true or false'];
const NAME: Check = [(value) => typeof value === 'string' && value !== '', 'a name'];
const isFailures = (value: unknown): boolean => Array.isArray(value) && value.every((kind) => FAILURES.includes(kind));

const CHECKS: Readonly<Record<string, Check>> = {
  recordInputs: FLAG,
  recordOutputs: FLAG,
  // Core knows what it can be, and says so.
  capture: [() => true, ''],
  toolParent: [(value) => value === 'agent' || value === 'llm', "'agent' or 'llm'"],
  captureErrors: [
    (value) => typeof value === 'boolean' || isFailures(value),
    "true, false or a list of 'agent', 'llm', 'tool'",
  ],
  diag: [(value) => typeof value === 'function', 'a function that takes a level and a message'],
};

/** Throws a `ConfigurationError` for an option that is wrong or that `factory` does not have; `nameOption` is what it calls its name. */
export function checkOptions(options: object, factory: string, nameOption: string): void {
  const checks = { ...CHECKS, [nameOption]: NAME };
  const from = `the options of ${factory}`;
  for (const [name, value] of Object.entries(options) as [string, unknown][]) {
    const [isRight, expected] = (Object.hasOwn(checks, name) ? checks[name] : undefined) ?? [];
    if (isRight === undefined)
      throw wrongValue(`There is no option ${name}`, { from, fix: `There are ${Object.keys(checks).join(', ')}.` });
    if (value !== undefined && !isRight(value))
      throw wrongValue(`${name} is ${JSON.stringify(value) ?? String(value)}`, { from, fix: `It can be ${expected}.` });
  }
}
