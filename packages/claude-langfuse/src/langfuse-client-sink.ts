import { isoFromUnixNano, type CapturedSpan, type Sink } from '@spanprism/core';
import { genaiDialect, type GenaiDialectOptions } from '@spanprism/core/dialect';
import { sinkDiag, wrongValue, type OtlpTraceSinkOptions } from '@spanprism/core/otlp';
import { ClientBatches, type LangfuseClient } from './client-batches.ts';
import { observationOf } from './observation.ts';
import { traceFieldsOf } from './trace-fields.ts';

export interface LangfuseClientSinkOptions
  extends Pick<GenaiDialectOptions, 'toolParent'>,
    Pick<OtlpTraceSinkOptions, 'capture' | 'diag'> {
  /** Of the package `langfuse` 3.x. It stays the program's: it is flushed and never shut down. */
  readonly client: LangfuseClient;
  /** Unique among the sinks of a program; `langfuse-client` unless given. */
  readonly name?: string;
}

/**
 * Sends spans through a classic client that the program has, with its keys, environment, release, mask, sampling and retries.
 * Agents and tools arrive as spans, as it knows nothing else; `langfuseSink` gives more.
 */
export function langfuseClientSink(options: LangfuseClientSinkOptions): Sink {
  const { client, name = 'langfuse-client', toolParent = 'agent', capture } = options;
  const { diag, useDiag } = sinkDiag(options.diag);
  if (METHODS.some((method) => typeof client?.[method] !== 'function')) {
    const fix = 'Pass new Langfuse() of the package langfuse 3.x; beside @langfuse/otel use langfuseSink().';
    throw wrongValue('the client is none of langfuse 3.x', { from: 'the option client', fix });
  }
  const batches = new ClientBatches(client, (message) => diag('warn', `${name}: ${message}`));
  const { parentSpanId } = genaiDialect({ toolParent });
  return {
    name,
    ...(capture === undefined ? {} : { capture }),
    // A trace is seen as soon as it begins, whatever becomes of it.
    spanStart: (span) => void (isRoot(span) && !batches.isClosed && client.trace(traceBody(span))),
    spanEnd: (span) => {
      if (!batches.accept(span.spanId)) return;
      const body = observationBody(span);
      if (isRoot(span)) client.trace(traceBody(span));
      else Object.assign(body, { parentObservationId: parentSpanId(span) });
      client[span.kind === 'llm' ? 'generation' : 'span'](body);
    },
    flush: (deadlineMs) => batches.flush(deadlineMs),
    close: (deadlineMs) => batches.close(deadlineMs),
    stats: () => batches.stats(),
    useDiag,
  };
}

const METHODS = ['trace', 'span', 'generation', 'flushAsync', 'on'] as const;

/** What it hangs below otherwise is nothing that this client sends. */
function isRoot({ parentSpanId, parentIsRemote }: CapturedSpan): boolean {
  return parentSpanId === undefined || parentIsRemote === true;
}

function traceBody(span: CapturedSpan): object {
  const { name, input, output } = observationOf(span);
  const { traceName = name, sessionId = span.sessionId, prompt: _, ...fields } = traceFieldsOf(span.attributes);
  const timestamp = isoFromUnixNano(span.startedAt);
  return { ...fields, name: traceName, sessionId, id: span.traceId, timestamp, input, output };
}

function observationBody(span: CapturedSpan): object {
  const { metadata, ...observation } = observationOf(span);
  const { version, prompt } = traceFieldsOf(span.attributes);
  return {
    ...observation,
    ...(span.kind === 'llm' ? prompt : {}),
    version,
    metadata: { 'claude.span.kind': span.kind, ...metadata },
    id: span.spanId,
    traceId: span.traceId,
    startTime: isoFromUnixNano(span.startedAt),
    endTime: isoFromUnixNano(span.endedAt ?? span.startedAt),
  };
}
