import type { OtlpNumberPoint } from '../records.ts';

const MAX_INT64 = 2 ** 63;

/** A count is a whole number on the wire, whatever a caller computed. */
export function countOf(value: number): bigint {
  return Number.isFinite(value) ? BigInt(Math.max(0, Math.round(value))) : 0n;
}

/** Whether the value of a point can be written as the int it claims to be. */
export function isWireInt(point: OtlpNumberPoint): boolean {
  return point.isInt && Number.isInteger(point.value) && Math.abs(point.value) < MAX_INT64;
}
