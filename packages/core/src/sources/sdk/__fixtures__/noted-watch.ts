import type { SpanError } from '../../../model/span.ts';
import type { Fields } from '../guards.ts';
import type { Guard, QueryWatch } from '../query-watch.ts';

/** What a watch was told, in order. */
export interface NotedWatch extends QueryWatch {
  readonly told: unknown[][];
}

export function notedWatch(options: Fields | undefined, isHidden?: (message: unknown) => boolean): NotedWatch {
  const told: unknown[][] = [];
  const note =
    (what: string) =>
    (...words: unknown[]): void =>
      void told.push([what, ...words]);
  return {
    told,
    options,
    ...(isHidden === undefined ? {} : { isHidden }),
    parked: note('parked'),
    claimed: note('claimed'),
    promptGiven: note('given'),
    promptTaken: note('taken'),
    promptsOver: note('prompts over'),
    message: note('message'),
    ended: (by: string, error?: SpanError): void => void told.push(error === undefined ? ['ended', by] : ['ended', by, error]),
  };
}

/** Counts what is caught, as the real one does. */
export function countingGuard(): { readonly guard: Guard; readonly caught: string[] } {
  const caught: string[] = [];
  return {
    caught,
    guard: (what, run) => {
      try {
        return run();
      } catch {
        caught.push(what);
        return undefined;
      }
    },
  };
}
