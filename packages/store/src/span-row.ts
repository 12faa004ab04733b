import type { CapturedSpan, SpanKind, SpanStatus, Totals, Usage } from '@spanprism/core';
import { encodeSpan } from './canonical-json.ts';
import { keyHash } from './key-hash.ts';

/** The numbers by which the schema knows kinds, states and purposes. Part of the file format: never renumbered. */
export const KINDS: readonly SpanKind[] = ['agent', 'llm', 'tool', 'permission', 'hook', 'custom'];
export const STATUSES: readonly SpanStatus[] = ['ok', 'error', 'cancelled'];

export const AGENT = 0;
export const LLM = 1;
export const TOOL = 2;
export const CUSTOM = 5;
export const ERROR = 1;

/** What is known of money and tokens, of one call or of what a turn's totals have beyond its calls. */
export interface Figures {
  readonly inputTokens: number | null;
  readonly outputTokens: number | null;
  readonly cacheReadTokens: number | null;
  readonly cacheWriteTokens: number | null;
  /** 1e-9 USD: whole numbers, so that every grouping adds up to the same. */
  readonly costNanoUsd: number | null;
}

/** Of a span what the store indexes and adds up. */
export interface SpanFields {
  readonly key: string;
  /** The session, else the trace. */
  readonly runId: string;
  readonly traceId: string;
  readonly spanId: string;
  readonly parentSpanId: string | null;
  readonly kind: number;
  readonly status: number;
  readonly startedAt: bigint;
  readonly endedAt: bigint;
  readonly name: string;
  readonly agent: string | null;
  readonly errorType: string | null;
  readonly outcome: string | null;
  readonly mcpServer: string | null;
  /** A turn of the main loop. */
  readonly isTurn: boolean;
  /** A call that sends the conversation on, and with it the results of tools. */
  readonly carriesResults: boolean;
  /** Of a call its own, of a turn what no call accounts for. */
  readonly figures: Figures | null;
  readonly place: Place | null;
}

/** What is written of a span. */
export interface SpanRow extends Omit<SpanFields, 'key'> {
  /** As the store knows it: see `keyHash`. */
  readonly key: Uint8Array;
  /** The whole span as one line of JSON, in UTF-8. */
  readonly line: Uint8Array;
}

/** Where a run belongs, as one of its spans tells it. */
export interface Place {
  readonly project: string | null;
  /** The name of the working directory: the project of a run whose user names none. */
  readonly folder: string | null;
  readonly user: string | null;
  readonly branch: string | null;
  readonly tags: readonly string[];
}

export function rowOf(span: CapturedSpan): SpanRow {
  return { ...fieldsOf(span), key: keyHash(span.key), line: Buffer.from(encodeSpan(span)) };
}

export function fieldsOf(span: CapturedSpan): SpanFields {
  return {
    key: span.key,
    runId: span.sessionId ?? span.traceId,
    traceId: span.traceId,
    spanId: span.spanId,
    parentSpanId: span.parentSpanId ?? null,
    kind: KINDS.indexOf(span.kind),
    status: STATUSES.indexOf(span.status),
    startedAt: span.startedAt,
    endedAt: span.endedAt ?? span.startedAt,
    name: nameOf(span),
    agent: 'agentName' in span ? span.agentName : null,
    errorType: errorTypeOf(span),
    outcome: span.kind === 'agent' ? span.outcome : null,
    mcpServer: span.kind === 'tool' ? (span.mcpServer ?? null) : null,
    isTurn: span.kind === 'agent' && span.role === 'main',
    carriesResults: span.kind === 'llm' && (span.purpose === 'turn' || span.purpose === 'compaction'),
    figures: figuresOf(span),
    place: placeOf(span),
  };
}

function nameOf(span: CapturedSpan): string {
  switch (span.kind) {
    case 'agent':
      return span.agentName;
    case 'llm':
      return span.responseModel ?? span.requestModel;
    case 'tool':
    case 'permission':
      return span.toolName;
    case 'hook':
      return span.hookName;
    case 'custom':
      return span.name;
  }
}

function errorTypeOf(span: CapturedSpan): string | null {
  if (span.kind === 'tool' && span.denied !== undefined) return 'denied';
  return span.error?.type ?? null;
}

function figuresOf(span: CapturedSpan): Figures | null {
  if (span.kind === 'llm') return figures(span.usage, span.costUsd);
  const rest: Totals | undefined = span.kind === 'agent' ? span.unattributed : undefined;
  return rest === undefined ? null : figures(rest.usage, rest.costUsd);
}

function figures(usage: Usage | undefined, costUsd: number | undefined): Figures {
  return {
    inputTokens: summand(usage?.inputTokens),
    outputTokens: summand(usage?.outputTokens),
    cacheReadTokens: summand(usage?.cacheReadTokens),
    cacheWriteTokens: summand(usage?.cacheWriteTokens),
    costNanoUsd: summand(costUsd === undefined ? undefined : nanoUsd(costUsd)),
  };
}

/** Beyond it a few spans would make a sum that no number holds. */
const MOST = 1e15;

/** A whole number; null for what is none, or is absurd: not known. */
function summand(value: number | undefined): number | null {
  return value !== undefined && Number.isInteger(value) && Math.abs(value) <= MOST ? value : null;
}

/** Whole 1e-9 USD. */
export function nanoUsd(usd: number): number {
  return Math.round(usd * 1e9);
}

function placeOf(span: CapturedSpan): Place | null {
  const { attributes } = span;
  const place = {
    project: textOf(attributes['project']),
    folder: span.kind === 'agent' && span.cwd !== undefined ? lastName(span.cwd) : null,
    user: textOf(attributes['user.id']),
    branch: textOf(attributes['vcs.ref.head.name']),
    tags: tagsOf(attributes['tags']),
  };
  const saysNothing = place.project === null && place.folder === null && place.user === null && place.branch === null;
  return saysNothing && place.tags.length === 0 ? null : place;
}

function textOf(value: unknown): string | null {
  return value === undefined || value === '' ? null : String(value);
}

function lastName(path: string): string | null {
  return path.split(/[/\\]/).findLast((part) => part !== '') ?? null;
}

/** A list as JSON, which is how attributes carry one, or one tag. */
function tagsOf(value: unknown): readonly string[] {
  if (typeof value !== 'string' || value === '') return [];
  if (!value.startsWith('[')) return [value];
  try {
    const list: unknown = JSON.parse(value);
    return Array.isArray(list) ? list.map(String) : [value];
  } catch {
    return [value];
  }
}
