import { createTracing, type Tracing, type TracingOptions } from '@spanprism/core';
import { pickGiven } from '@spanprism/core/otlp';
import { langfuseSink, type LangfuseSinkOptions } from './langfuse-sink.ts';
import { langfuseAttributes, type LangfuseTraceOptions } from './trace-fields.ts';

export interface LangfuseCallbackOptions
  extends LangfuseTraceOptions,
    LangfuseSinkOptions,
    Pick<TracingOptions, 'agentName' | 'cliTelemetry' | 'hooks' | 'redact'> {}

/**
 * Tracing into Langfuse alone, with what is to be said of its traces, as callback handlers take it.
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
