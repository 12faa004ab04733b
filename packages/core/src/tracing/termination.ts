import type { ProcessEnd } from './exit.ts';

const SIGNAL = 'SIGTERM';

/**
 * Uses the time between SIGTERM and the end for a last flush, but only if nobody else listens: whoever does decides what the signal
 * means.
 */
export function terminate(shared: ProcessEnd): void {
  const { actions, sigterm } = shared;
  const isAlone = process.listeners(SIGNAL).every((other) => other === sigterm);
  if (!isAlone) {
    // The others must find the list as it would be without us: some raise the signal again when they are alone in it.
    process.off(SIGNAL, sigterm);
    for (const { persistSync } of actions) persistSync(false);
    return;
  }
  // A second signal, as from a runner that passes its own on, finds this under way.
  shared.ending ??= Promise.allSettled([...actions].map(({ finish }) => finish())).then(() => {
    // A process that a signal ends has no `exit`.
    for (const { persistSync } of actions) persistSync(true);
    process.off(SIGNAL, sigterm);
    process.kill(process.pid, SIGNAL);
  });
}
