import type { ExportResponse } from '@spanprism/core/receive';
import type { CommandErrorParts } from '../../command.ts';
import type { Arrival, DeskState } from './desk.ts';
import type { DoorSettings } from './door-settings.ts';
import type { RefusalReason } from './refusals.ts';

/** What the thread of the doors is given when it starts. */
export interface ThreadStart {
  readonly settings: DoorSettings;
}

/** What the doors ask of the desk. */
export type Question =
  | ({ readonly id: number; readonly about: 'arrival' } & Arrival)
  | { readonly id: number; readonly about: 'state' }
  | { readonly id: number; readonly about: 'metrics' };

export type Answer =
  | { readonly id: number; readonly said: ExportResponse | DeskState | string }
  | { readonly id: number; readonly refusal: RefusalReason };

/** To the thread of the doors. */
export type ToDoors =
  | { readonly type: 'answers'; readonly answers: readonly Answer[] }
  | { readonly type: 'close'; readonly deadlineMs: number };

/** From the thread of the doors, in the order in which things happened. */
export type ToDesk =
  | { readonly type: 'open'; readonly httpPort: number; readonly grpcPort: number | undefined }
  | { readonly type: 'not-open'; readonly why: CommandErrorParts }
  | { readonly type: 'questions'; readonly questions: readonly Question[] }
  | { readonly type: 'refused'; readonly reason: RefusalReason }
  | { readonly type: 'fault'; readonly message: string }
  | { readonly type: 'closed' };
