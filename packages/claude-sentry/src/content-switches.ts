import type { CaptureOptions } from '@spanprism/core';
import type { SentryOptions } from './options.ts';

/** Of the options of `Sentry.init` as the user wrote them; what Sentry makes of them has its defaults in it, which are none of his words. */
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
  return {
    ...{ prompts: input, systemInstructions: input, toolInputs: input },
    ...{ outputs: output, thinking: output, toolOutputs: output },
    // What an API or a tool complains about may quote either.
    errors: input && output,
  };
}
