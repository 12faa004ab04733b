/** Time as the delivery sees it; an argument so that tests need not wait. */
export interface Timers {
  /** Milliseconds since the epoch, never stepping back. */
  now(): number;
  /** Runs once after `ms` milliseconds and returns its cancel. Only with `keepAlive` does the process stay for it. */
  after(ms: number, run: () => void, keepAlive?: boolean): () => void;
}

/** Node fires longer timers at once. */
const LONGEST_MS = 2 ** 31 - 1;

/** The process's own timers. */
export function systemTimers(): Timers {
  return {
    now: () => performance.timeOrigin + performance.now(),
    after: (ms, run, keepAlive = false) => {
      const timer = setTimeout(run, Math.min(Math.max(ms, 0), LONGEST_MS));
      if (!keepAlive) timer.unref();
      return () => clearTimeout(timer);
    },
  };
}
