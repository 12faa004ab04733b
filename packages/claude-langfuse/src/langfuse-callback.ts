import { createTracing } from '@spanprism/core';
import type { Tracing, TracingOptions } from '@spanprism/core';
import { pickGiven } from '@spanprism/core/otlp';
import { langfuseSink } from './langfuse-sink.ts';
import type { LangfuseSinkOptions } from './langfuse-sink.ts';
import { langfuseAttributes } from './trace-fields.ts';
import type { LangfuseTraceOptions } from './trace-fields.ts';

export interface LangfuseCallbackOptions
  extends LangfuseTraceOptions,
    LangfuseSinkOptions,
    Pick<TracingOptions, 'agentName' | 'cliTelemetry' | 'hooks' | 'redact'> {}

/**
 * Tracing into Langfuse alone, with what is to be said of its traces, as callback handlers take it.
 *
 * @example
 * const { query } = langfuseCallback({ userId, sessionId, tags }).wrapSdk(sdk);
 */
export function langfuseCallback(options: LangfuseCallbackOptions = {}): Tracing {
  return createTracing({
    ...pickGiven(options, ['agentName', 'cliTelemetry', 'hooks', 'redact', 'diag']),
    sinks: [langfuseSink(options)],
    attributes: langfuseAttributes(options),
  });
}
