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

/** ISO 8601 in UTC, with as many digits as it takes to be exact. */
export function isoFromUnixNano(time: UnixNano): string {
  const rest = time % NANOS_PER_MS;
  const toMs = new Date(Number(time / NANOS_PER_MS)).toISOString();
  return rest === 0n ? toMs : toMs.replace('Z', `${String(rest).padStart(6, '0')}Z`);
}

/** Length in milliseconds, as a double. */
export function msBetween(start: UnixNano, end: UnixNano): number {
  return Number(end - start) / 1e6;
}

/** From an ISO 8601 instant; undefined when it is none. */
export function unixNanoFromIso(text: string): UnixNano | undefined {
  const ms = withinMinute(text) ?? Date.parse(text);
  return Number.isNaN(ms) ? undefined : unixNanoFromMs(ms);
}

/** The minute that was parsed last, as far as its colon: every message has a time, and parsing takes longer than most of what is done with it. */
let minute = '';
let minuteMs = 0;

/** `2026-11-21T08:27:03.250Z`, as `toISOString` writes it; undefined for anything else. */
function withinMinute(text: string): number | undefined {
  if (text.length !== 24 || text[19] !== '.' || text[23] !== 'Z') return undefined;
  if (minute === '' || !text.startsWith(minute)) {
    const ms = Date.parse(`${text.slice(0, 17)}00.000Z`);
    if (Number.isNaN(ms)) return undefined;
    minute = text.slice(0, 17);
    minuteMs = ms;
  }
  const tens = digitAt(text, 17);
  const ones = digitAt(text, 18);
  if (!(tens < 6)) return undefined;
  return minuteMs + tens * 10_000 + ones * 1000 + digitAt(text, 20) * 100 + digitAt(text, 21) * 10 + digitAt(text, 22);
}

function digitAt(text: string, index: number): number {
  const digit = text.charCodeAt(index) - 48;
  return digit >= 0 && digit <= 9 ? digit : Number.NaN;
}

/** By how much the system's clock, which is adjusted all the time, may differ before it is believed. */
const BELIEVED_MS = 1_000;

/** The system's clock: steady, until that was set, or the machine has slept. */
export function systemClock(): Clock {
  const { timeOrigin, now } = globalThis.performance;
  let originMs = timeOrigin;
  let origin = unixNanoFromMs(originMs);
  return {
    now: () => {
      const sinceMs = now.call(globalThis.performance);
      const systemMs = Date.now();
      if (Math.abs(systemMs - originMs - sinceMs) > BELIEVED_MS) {
        originMs = systemMs - sinceMs;
        origin = unixNanoFromMs(originMs);
      }
      return origin + BigInt(Math.round(sinceMs * 1e6));
    },
  };
}
