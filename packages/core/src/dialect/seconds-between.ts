import type { UnixNano } from '../model/time.ts';

/** Length in seconds, as OpenTelemetry's conventions count. */
export function secondsBetween(start: UnixNano, end: UnixNano): number {
  return Number(end - start) / 1e9;
}
