import { createHash } from 'node:crypto';
import type { IdSource, SpanId, TraceId } from '../../model/ids.ts';

/**
 * Ids derived from names, so that whoever reads the same rows again gives the same ids. What has no name of its own is numbered
 * within `seed`, which names the session.
 */
export function keyedIds(seed: string): IdSource {
  let unnamed = 0;
  const nameless = (): string => {
    unnamed += 1;
    return `${seed}#${unnamed}`;
  };
  return {
    traceId: (name) => traceIdOf(name ?? nameless()),
    spanId: (name, within) => digits(`span:${within ?? ''}/${name ?? nameless()}`, 16) as SpanId,
  };
}

/** The id of the trace of the turn with that message of the user. */
export function traceIdOf(name: string): TraceId {
  return digits(`trace:${name}`, 32) as TraceId;
}

function digits(name: string, count: number): string {
  const hex = createHash('sha256').update(name).digest('hex').slice(0, count);
  return /^0+$/.test(hex) ? hex.replace(/.$/, '1') : hex;
}
