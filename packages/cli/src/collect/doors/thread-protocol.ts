import type { ExportResponse } from '@spanprism/core/receive';
import type { CommandErrorParts } from '../../command.ts';
import type { DeskState } from './desk.ts';
import type { DoorSettings } from './door-settings.ts';
import type { PackedArrivals } from './packed-arrivals.ts';
import type { RefusalReason } from './refusals.ts';

/** What the thread of the doors is given when it starts. */
export interface ThreadStart {
  readonly settings: DoorSettings;
}

export interface Question {
  readonly type: 'question';
  readonly id: number;
  readonly about: 'state' | 'metrics';
}

/** To an arrival that was not simply taken, or a question. */
export type Answer =
  | { readonly id: number; readonly said: ExportResponse | DeskState | string }
  | { readonly id: number; readonly refusal: RefusalReason };

/** `taken` are the ids of arrivals of which all was taken: nearly all are. */
export interface Answers {
  readonly type: 'answers';
  readonly taken: Float64Array;
  readonly others: readonly Answer[];
}

/** To the thread of the doors. */
export type ToDoors = Answers | { readonly type: 'close'; readonly deadlineMs: number };

/** From the thread of the doors, in the order in which things happened. */
export type ToDesk =
  | { readonly type: 'open'; readonly httpPort: number; readonly grpcPort: number | undefined }
  | { readonly type: 'not-open'; readonly why: CommandErrorParts }
  | { readonly type: 'arrivals'; readonly packed: PackedArrivals }
  | Question
  | { readonly type: 'refused'; readonly reason: RefusalReason }
  | { readonly type: 'fault'; readonly message: string }
  | { readonly type: 'closed' };
