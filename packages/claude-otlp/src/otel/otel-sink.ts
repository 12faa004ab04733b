import { trace } from '@opentelemetry/api';
import type { TracerProvider } from '@opentelemetry/api';
import type { CaptureOptions, Sink } from '@spanprism/core';
import { genaiDialect, type Dialect } from '@spanprism/core/dialect';
import { LiveSpans } from '@spanprism/core/live';
import { forceFlush } from './force-flush.ts';
import { otelLiveTracer } from './otel-live-tracer.ts';

export interface OtelSinkOptions {
  /** The provider of the host's tracing; the globally registered one unless given, also if it is registered later. */
  readonly tracerProvider?: TracerProvider;
  /** How spans are spelled; OpenTelemetry's GenAI conventions unless given. */
  readonly dialect?: Dialect;
  /** Which content may go to the host's tracing; the policy of `createTracing` unless given. */
  readonly capture?: CaptureOptions;
  /** Unique among the sinks of a program; `otel` unless given. */
  readonly name?: string;
}

/**
 * Live spans on the host's own OpenTelemetry tracing: below the host's active span, sampled by its sampler, exported by its
 * processors. Registers nothing and shuts nothing down. Spans of the code that runs inside a step or a tool nest where the host
 * has a context manager, as every OpenTelemetry SDK for Node sets one up.
 */
export function otelSink(options: OtelSinkOptions = {}): Sink {
  const provider = (): TracerProvider => options.tracerProvider ?? trace.getTracerProvider();
  const tracer = () => provider().getTracer('@spanprism/claude-otlp');
  const live = new LiveSpans(otelLiveTracer(tracer, options.dialect ?? genaiDialect()));
  return {
    name: options.name ?? 'otel',
    ...(options.capture === undefined ? {} : { capture: options.capture }),
    spanStart: (span) => live.start(span),
    spanEnd: (span) => live.end(span),
    turnEnd: (rootSpanId) => live.endTurn(rootSpanId),
    ambient: () => live.ambient(),
    activate: (spanId, run) => live.activate(spanId, run),
    flush: (deadlineMs) => forceFlush(provider(), deadlineMs),
    close: async (deadlineMs) => {
      live.abandon();
      await forceFlush(provider(), deadlineMs);
    },
    stats: () => live.stats(),
  };
}
