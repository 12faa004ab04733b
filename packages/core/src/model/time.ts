/** Nanoseconds since 1970-01-01T00:00:00Z. */
export type UnixNano = bigint;

/** Tells the time; sources and the assembler take it as an argument so that recorded runs can be replayed. */
export interface Clock {
  now(): UnixNano;
}

const NANOS_PER_MS = 1_000_000n;

/** From milliseconds since the epoch, to the microsecond: a double holds no more today. */
export function unixNanoFromMs(ms: number): UnixNano {
  return BigInt(Math.round(ms * 1000)) * 1000n;
}

/** Milliseconds since the epoch, as a double. */
export function msFromUnixNano(time: UnixNano): number {
  return Number(time / NANOS_PER_MS) + Number(time % NANOS_PER_MS) / 1e6;
}

/** Length in milliseconds, as a double. */
export function msBetween(start: UnixNano, end: UnixNano): number {
  return Number(end - start) / 1e6;
}

/** From an ISO 8601 instant; undefined when it is none. */
export function unixNanoFromIso(text: string): UnixNano | undefined {
  const ms = Date.parse(text);
  return Number.isNaN(ms) ? undefined : unixNanoFromMs(ms);
}

/** The system's clock, steady within the process. */
export function systemClock(): Clock {
  const { timeOrigin, now } = globalThis.performance;
  const origin = unixNanoFromMs(timeOrigin);
  return { now: () => origin + BigInt(Math.round(now.call(globalThis.performance) * 1e6)) };
}
