import { isObject, type JsonObject } from '../json.ts';

/** From recorded times to the times of this run. */
export interface TimeMove {
  /** Milliseconds since 1970 at time 0 of the recording, and of this run. */
  readonly fromMs: number;
  readonly toMs: number;
  /** Length of a recorded second in this run. */
  readonly scale: number;
}

/** A trace context that a child was given. */
export interface GivenParent {
  readonly traceId: string;
  readonly spanId: string;
}

/** The root of a turn in the CLI's own tracing. */
const TURN = 'claude_code.interaction';
const NANOS_PER_MS = 1_000_000n;

/** A copy of an OTLP/JSON body whose instants lie in this run. */
export function movedTimes(value: unknown, move: TimeMove): unknown {
  if (Array.isArray(value)) return value.map((item) => movedTimes(item, move));
  if (!isObject(value)) return value;
  const members = Object.entries(value).map(([name, member]) => {
    const isInstant = name.endsWith('UnixNano') && (typeof member === 'string' || typeof member === 'number');
    return [name, isInstant ? String(moved(BigInt(member), move)) : movedTimes(member, move)];
  });
  return Object.fromEntries(members) as unknown;
}

/** A copy of an SDK message whose instants lie in this run. */
export function movedMessage(message: JsonObject, move: TimeMove): JsonObject {
  const { timestamp, patch } = message;
  const at = typeof timestamp === 'string' ? Date.parse(timestamp) : Number.NaN;
  const endMs = isObject(patch) ? patch['end_time'] : undefined;
  return {
    ...message,
    ...(Number.isNaN(at) ? {} : { timestamp: new Date(movedMs(at, move)).toISOString() }),
    ...(typeof endMs === 'number' && isObject(patch) ? { patch: { ...patch, end_time: movedMs(endMs, move) } } : {}),
  };
}

function movedMs(ms: number, { fromMs, toMs, scale }: TimeMove): number {
  return Math.round(toMs + (ms - fromMs) * scale);
}

function moved(nanos: bigint, { fromMs, toMs, scale }: TimeMove): bigint {
  // 0 says that an instant is not known.
  if (nanos === 0n) return nanos;
  const since = nanos - nanosOf(fromMs);
  return nanosOf(toMs) + (scale === 1 ? since : BigInt(Math.round(Number(since) * scale)));
}

function nanosOf(ms: number): bigint {
  return BigInt(Math.round(ms * 1000)) * (NANOS_PER_MS / 1000n);
}

/**
 * A copy whose spans are of the trace that the child was given: the roots of turns become children of its context, as the CLI makes
 * them. Calls that belong to no turn (`model_validation`) stay roots, as there.
 */
export function reparented(value: unknown, parent: GivenParent, ownIds: ReadonlySet<string>): unknown {
  if (Array.isArray(value)) return value.map((item) => reparented(item, parent, ownIds));
  if (!isObject(value)) return value;
  const isSpan = typeof value['spanId'] === 'string' && 'startTimeUnixNano' in value;
  const { parentSpanId } = value;
  const isRoot = isSpan && (typeof parentSpanId !== 'string' || parentSpanId === '');
  if (isRoot && value['name'] !== TURN) return value;
  const members = Object.entries(value).map(([name, member]) => [name, reparented(member, parent, ownIds)]);
  const isOwn = typeof parentSpanId === 'string' && ownIds.has(parentSpanId);
  return {
    ...(Object.fromEntries(members) as object),
    ...(typeof value['traceId'] === 'string' && value['traceId'] !== '' ? { traceId: parent.traceId } : {}),
    ...(isSpan && !isOwn ? { parentSpanId: parent.spanId } : {}),
  };
}

/** The ids of all spans in a body. */
export function spanIdsIn(value: unknown): readonly string[] {
  if (Array.isArray(value)) return value.flatMap(spanIdsIn);
  if (!isObject(value)) return [];
  const own = 'startTimeUnixNano' in value && typeof value['spanId'] === 'string' ? [value['spanId']] : [];
  return [...own, ...Object.values(value).flatMap(spanIdsIn)];
}
