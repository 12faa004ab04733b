import type { Diag } from '../model/sink.ts';

/**
 * Tells what was not delivered at the end of the program, when nobody is left to hear of a rejected flush: all but what sinks have
 * told themselves, so that a fault is one line.
 */
export function tellUndelivered(diag: Diag, error: unknown): void {
  const reasons: readonly unknown[] = error instanceof AggregateError ? error.errors : [error];
  const untold = reasons.filter((reason) => !isTold(reason));
  if (untold.length === 0) return;
  const words = untold.map((reason) => (reason instanceof Error ? reason.message : String(reason)));
  // The sink may be asked again what has become of the rest.
  for (const reason of untold) if (reason instanceof Error) Reflect.set(reason, 'isTold', true);
  diag('warn', `not everything was delivered before the end: ${words.join('; ')}`);
}

function isTold(reason: unknown): boolean {
  return reason instanceof Error && 'isTold' in reason && reason.isTold === true;
}
