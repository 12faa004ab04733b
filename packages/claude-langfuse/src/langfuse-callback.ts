import { createTracing } from '@spanprism/core';
import type { Tracing, TracingOptions } from '@spanprism/core';
import { langfuseSink } from './langfuse-sink.ts';
import type { LangfuseSinkOptions } from './langfuse-sink.ts';
import { langfuseAttributes } from './trace-fields.ts';
import type { LangfuseTraceOptions } from './trace-fields.ts';

type Passed = Pick<TracingOptions, 'agentName' | 'cliTelemetry' | 'hooks' | 'redact' | 'diag'>;

export interface LangfuseCallbackOptions extends LangfuseTraceOptions, LangfuseSinkOptions, Passed {}

/**
 * Tracing into Langfuse alone, with what is to be said of its traces, as callback handlers take it.
 *
 * @example
 * const { query } = langfuseCallback({ userId, sessionId, tags }).wrapSdk(sdk);
 */
export function langfuseCallback(options: LangfuseCallbackOptions = {}): Tracing {
  const { agentName, cliTelemetry, hooks, redact, diag } = options;
  const passed = Object.entries({ agentName, cliTelemetry, hooks, redact, diag }).filter(
    ([, value]) => value !== undefined,
  );
  return createTracing({
    ...(Object.fromEntries(passed) as Passed),
    sinks: [langfuseSink(options)],
    attributes: langfuseAttributes(options),
  });
}
