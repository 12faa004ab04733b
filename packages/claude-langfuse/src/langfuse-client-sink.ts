import { isoFromUnixNano } from '@spanprism/core';
import type { CapturedSpan, Sink } from '@spanprism/core';
import { genaiDialect } from '@spanprism/core/dialect';
import type { GenaiDialectOptions } from '@spanprism/core/dialect';
import { sinkDiag } from '@spanprism/core/otlp';
import type { OtlpTraceSinkOptions } from '@spanprism/core/otlp';
import { ClientBatches } from './client-batches.ts';
import type { LangfuseClient } from './client-batches.ts';
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
  const batches = new ClientBatches(client, (message) => diag('warn', `${name}: ${message}`));
  const { parentSpanId } = genaiDialect({ toolParent });
  return {
    name,
    ...(capture === undefined ? {} : { capture }),
    spanStart: (span) => {
      // A trace is seen as soon as it begins, whatever becomes of it.
      if (isRoot(span) && !batches.isClosed) client.trace(traceBody(span));
      return undefined;
    },
    spanEnd: (span) => {
      if (!batches.accept(span.spanId)) return;
      const body = observationBody(span);
      if (isRoot(span)) client.trace(traceBody(span));
      else Object.assign(body, { parentObservationId: parentSpanId(span) });
      if (span.kind === 'llm') client.generation(body);
      else client.span(body);
    },
    flush: (deadlineMs) => batches.flush(deadlineMs),
    close: (deadlineMs) => batches.close(deadlineMs),
    stats: () => batches.stats(),
    useDiag,
  };
}

/** What it hangs below otherwise is nothing that this client sends. */
function isRoot({ parentSpanId, parentIsRemote }: CapturedSpan): boolean {
  return parentSpanId === undefined || parentIsRemote === true;
}

function traceBody(span: CapturedSpan): object {
  const { name, input, output } = observationOf(span);
  const { traceName = name, sessionId = span.sessionId, promptName: _, promptVersion: __, ...fields } = fieldsOf(span);
  const timestamp = isoFromUnixNano(span.startedAt);
  return { ...fields, name: traceName, sessionId, id: span.traceId, timestamp, input, output };
}

function observationBody(span: CapturedSpan): object {
  const { metadata, ...observation } = observationOf(span);
  const { version, promptName, promptVersion } = fieldsOf(span);
  return {
    ...observation,
    ...(span.kind === 'llm' ? { promptName, promptVersion } : {}),
    version,
    metadata: { 'claude.span.kind': span.kind, ...metadata },
    id: span.spanId,
    traceId: span.traceId,
    startTime: isoFromUnixNano(span.startedAt),
    endTime: isoFromUnixNano(span.endedAt ?? span.startedAt),
  };
}

const fieldsOf = (span: CapturedSpan) => traceFieldsOf(span.attributes);
