import type { RetentionLimits } from '../write/retention.ts';
import type { PackedRows } from './packed-rows.ts';
import type { Told } from './scribe.ts';

/** What the thread is given when it starts. */
export interface ThreadStart {
  readonly path: string;
  readonly retention: RetentionLimits;
}

export type ToThread =
  | { readonly type: 'rows'; readonly id: number; readonly rows: PackedRows }
  | { readonly type: 'close' };

export type ToMain = Told;
