import type { ExitActions } from './exit.ts';

const SIGNAL = 'SIGTERM';

/** What all copies of this package in the process share: one listener, however many traces. */
interface Termination {
  readonly actions: Set<ExitActions>;
  readonly listener: () => void;
  ending?: Promise<void>;
}

const SHARED: unique symbol = Symbol.for('spanprism.termination');

/**
 * Uses the time between SIGTERM and the end for a last flush, but only if nobody else listens: whoever does decides what the signal
 * means. Returns the function that stops listening.
 */
export function onTermination(actions: ExitActions): () => void {
  const shared = sharedTermination();
  if (shared.actions.size === 0) listen(shared);
  shared.actions.add(actions);
  return () => {
    shared.actions.delete(actions);
    if (shared.actions.size === 0) process.off(SIGNAL, shared.listener);
  };
}

function sharedTermination(): Termination {
  const known = Reflect.get(globalThis, SHARED) as Termination | undefined;
  if (known !== undefined) return known;
  const actions: Set<ExitActions> = new Set();
  const shared: Termination = { actions, listener: () => terminate(shared) };
  Reflect.set(globalThis, SHARED, shared);
  return shared;
}

/** First in line: a `once` listener of somebody else is gone from the list as soon as it has been called. */
function listen({ listener }: Termination): void {
  process.prependListener(SIGNAL, listener);
}

function terminate(shared: Termination): void {
  const { actions, listener } = shared;
  const isAlone = process.listeners(SIGNAL).every((other) => other === listener);
  if (!isAlone) {
    // The others must find the list as it would be without us: some raise the signal again when they are alone in it.
    process.off(SIGNAL, listener);
    for (const { persistSync } of actions) persistSync();
    return;
  }
  // A second signal, as from a runner that passes its own on, finds this under way.
  shared.ending ??= Promise.allSettled([...actions].map(({ finish }) => finish())).then(() => {
    // A process that a signal ends has no `exit`.
    for (const { persistSync } of actions) persistSync();
    process.off(SIGNAL, listener);
    process.kill(process.pid, SIGNAL);
  });
}
