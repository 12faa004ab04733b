/** What has to happen when the process ends. */
export interface ExitActions {
  /** There is time: the event loop has run empty, or the process was asked to stop. Bounded. */
  readonly flush: () => Promise<void>;
  /** There is none: write what is known where the next start finds it. */
  readonly persistSync: () => void;
}

/** The part of `process` that this needs. */
export interface ProcessEvents {
  readonly pid: number;
  on(event: string, listener: () => void): unknown;
  off(event: string, listener: () => void): unknown;
  listenerCount(event: string): number;
  kill(pid: number, signal: string): unknown;
}

/** Watches for the end of the process. Returns the function that stops watching. */
export function watchExit(actions: ExitActions, events: ProcessEvents = process): () => void {
  let isFlushing = false;
  const flushOnce = async (): Promise<void> => {
    if (isFlushing) return;
    isFlushing = true;
    await actions.flush().catch(() => undefined);
    isFlushing = false;
  };
  const beforeExit = (): void => {
    // Work begun here lets the process live until it is done, and then the event comes again.
    events.off('beforeExit', beforeExit);
    void flushOnce();
  };
  const exit = (): void => actions.persistSync();
  const terminate = (): void => {
    // Whoever else listens decides what the signal means.
    if (events.listenerCount('SIGTERM') > 1) return;
    void flushOnce().then(() => {
      stop();
      events.kill(events.pid, 'SIGTERM');
    });
  };
  const stop = (): void => {
    events.off('beforeExit', beforeExit);
    events.off('exit', exit);
    events.off('SIGTERM', terminate);
  };
  events.on('beforeExit', beforeExit);
  events.on('exit', exit);
  events.on('SIGTERM', terminate);
  return stop;
}
