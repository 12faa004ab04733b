import { setTimeout as delay } from 'node:timers/promises';
import type { CapturedSpan, Diag, Sink } from '@spanprism/core';
import { asArray, type JsonObject } from '../json.ts';
import type { Made, Row, SinkCase } from './sink-case.ts';
import { labelOf } from './traces.ts';

/** A row as it goes over the wire: 64-bit times as text. */
export type WireRow = Omit<Row, 'startedAt' | 'endedAt' | 'firstTokenAt'> & {
  readonly startedAt: string;
  readonly endedAt: string;
  readonly firstTokenAt?: string;
};

export interface ReferenceSinkOptions {
  readonly url: string;
  readonly diag: Diag;
  /** How a span becomes a row. */
  readonly rowOf?: (span: CapturedSpan) => WireRow | undefined;
  /** Milliseconds until the next attempt, by what Retry-After says in seconds. */
  readonly waitMs?: (retryAfter: number) => number;
}

/** The least that a good sink is: rows as JSON over HTTP. To prove that the suite asks for no more than it says. */
export function referenceSink({
  url,
  diag,
  rowOf = wireRow,
  waitMs = (seconds) => seconds * 1_000,
}: ReferenceSinkOptions): Sink {
  const dropped: Record<string, number> = {};
  let queue: WireRow[] = [];
  let delivered = 0;
  let isClosed = false;
  const drop = (reason: string): void => {
    dropped[reason] = (dropped[reason] ?? 0) + 1;
  };
  const flush = async (deadlineMs: number): Promise<void> => {
    if (queue.length === 0) return;
    const rows = queue;
    const signal = AbortSignal.timeout(deadlineMs);
    for (let wait = await post(url, { rows }, signal); wait !== undefined; wait = await post(url, { rows }, signal)) {
      await delay(waitMs(wait), undefined, { signal });
    }
    queue = queue.slice(rows.length);
    delivered += rows.length;
  };
  return {
    name: 'reference',
    spanEnd: (span) => {
      if (isClosed) {
        drop('closed');
        diag('warn', 'reference: a span came after close() and is dropped');
        return;
      }
      const row = rowOf(span);
      if (row !== undefined) queue.push(row);
    },
    flush,
    close: async (deadlineMs) => {
      isClosed = true;
      await flush(deadlineMs);
    },
    stats: () => ({ delivered, queued: queue.length, dropped }),
  };
}

/** Undefined when it was taken; else after how many seconds it may be tried again. */
async function post(url: string, body: object, signal: AbortSignal): Promise<number | undefined> {
  const headers = { 'content-type': 'application/json' };
  const response = await fetch(`${url}/v1/traces`, { method: 'POST', headers, body: JSON.stringify(body), signal });
  await response.arrayBuffer();
  if (response.ok) return undefined;
  if (response.status !== 429) throw new Error(`the backend answered ${response.status}`);
  return Number(response.headers.get('retry-after') ?? 1);
}

/** Every field of a row where it belongs. */
export function wireRow(span: CapturedSpan): WireRow {
  const { startedAt, endedAt = startedAt, parentSpanId, issues } = span;
  return {
    traceId: span.traceId,
    id: span.spanId,
    ...(parentSpanId === undefined ? {} : { parentId: parentSpanId }),
    kind: span.kind,
    label: labelOf(span),
    startedAt: String(startedAt),
    endedAt: String(endedAt),
    outcome: outcomeOf(span),
    ...(span.kind === 'llm' ? figuresOf(span) : {}),
    ...(issues.length === 0 ? {} : { issues: issues.map(({ code }) => code) }),
    text: JSON.stringify([contentOf(span), span.error?.message ?? '', span.events.map(({ content }) => content ?? '')]),
  };
}

function outcomeOf(span: CapturedSpan): Row['outcome'] {
  return span.kind === 'tool' && span.denied !== undefined ? 'denied' : span.status;
}

function figuresOf({ usage, costUsd, firstTokenAt }: CapturedSpan & { readonly kind: 'llm' }): Partial<WireRow> {
  const { inputTokens, outputTokens, cacheReadTokens, cacheWriteTokens } = usage ?? {};
  const cached =
    cacheReadTokens === undefined && cacheWriteTokens === undefined
      ? undefined
      : (cacheReadTokens ?? 0) + (cacheWriteTokens ?? 0);
  return {
    ...(firstTokenAt === undefined ? {} : { firstTokenAt: String(firstTokenAt) }),
    ...(inputTokens === undefined ? {} : { countedInput: inputTokens }),
    ...(outputTokens === undefined ? {} : { countedOutput: outputTokens }),
    ...(cached === undefined ? {} : { cachedInput: cached }),
    ...(costUsd === undefined ? {} : { costUsd }),
  };
}

function contentOf(span: CapturedSpan): unknown {
  switch (span.kind) {
    case 'agent':
      return [span.input, span.output, span.cwd];
    case 'llm':
      return [span.input, span.output, span.systemInstructions, span.toolDefinitions];
    case 'tool':
      return [span.input, span.output];
    case 'permission':
    case 'hook':
    case 'custom':
      return [];
  }
}

export type MakeSink = (options: ReferenceSinkOptions) => Sink;

/** The suite's case of the reference sink, or of a sink that speaks as it does. */
export function referenceCase(make: MakeSink = referenceSink, name = 'reference'): SinkCase<readonly WireRow[]> {
  return {
    name,
    can: ['http', 'ownIds', 'cost', 'issues', 'firstToken', 'content'],
    make: ({ collector, diag }): Made<readonly WireRow[]> => ({
      sink: make({ url: collector.url, diag }),
      sent: () =>
        collector.requests
          .filter(({ isAccepted }) => isAccepted)
          .flatMap(({ decoded }) => asArray((decoded as JsonObject)['rows']) as readonly WireRow[]),
    }),
    decode: (rows) =>
      rows.map(({ startedAt, endedAt, firstTokenAt, ...rest }) => ({
        ...rest,
        startedAt: BigInt(startedAt),
        endedAt: BigInt(endedAt),
        ...(firstTokenAt === undefined ? {} : { firstTokenAt: BigInt(firstTokenAt) }),
      })),
  };
}
