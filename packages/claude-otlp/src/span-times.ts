import type { UnixNano } from '@spanprism/core';

/** Length in seconds, as OpenTelemetry's conventions count. */
export function secondsBetween(start: UnixNano, end: UnixNano): number {
  return Number(end - start) / 1e9;
}
