import type { UnixNano } from '../../model/time.ts';
import type { Fields } from '../sdk/guards.ts';

/** A row with its own time, and an id by which the same row is known again in another file. */
export interface TimedRow {
  readonly fields: Fields;
  readonly id: string;
  readonly at: UnixNano;
}
