import type { SpanError } from '../../model/span.ts';
import type { QueryEnded } from '../../model/observation.ts';
import type { Fields } from './guards.ts';

/** Somebody who watches one query. None of these may throw, block or wait. */
export interface QueryWatch {
  /** What the SDK is given in place of the user's options: a copy with additions, or the very same. */
  readonly options: Fields | undefined;
  /** True for messages that the consumer would not have got without our additions. */
  readonly isHidden?: (message: unknown) => boolean;
  /** The child is started ahead: nobody may ever claim it. */
  parked(): void;
  /** A child that was started ahead is put to use. */
  claimed(): void;
  promptGiven(text: string): void;
  promptTaken(message: unknown): void;
  /** The user's iterable has ended. */
  promptsOver(): void;
  message(message: unknown): void;
  ended(by: QueryEnded['by'], error?: SpanError): void;
}

/** Begins to watch, unless tracing is over. `options` are the user's and are not to be changed. */
export type BeginWatch = (options: Fields | undefined) => QueryWatch | undefined;

/** Runs a piece of ours inside the user's program: whatever it throws stays with us. */
export type Guard = <T>(what: string, run: () => T) => T | undefined;
