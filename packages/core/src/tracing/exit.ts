import { onTermination } from './termination.ts';

/** What has to happen when the process ends. */
export interface ExitActions {
  /** There is time: the event loop has run empty. Bounded. */
  readonly flush: () => Promise<void>;
  /** The process was asked to stop: what is open ends here. Bounded. */
  readonly finish: () => Promise<void>;
  /** There is none: write what is known where the next start finds it. */
  readonly persistSync: () => void;
}

/** Watches for the end of the process. Returns the function that stops watching. */
export function watchExit(actions: ExitActions): () => void {
  const beforeExit = (): void => {
    // Work begun here lets the process live until it is done, and then the event comes again.
    process.off('beforeExit', beforeExit);
    void actions.flush().catch(() => undefined);
  };
  const exit = (): void => actions.persistSync();
  const stopTermination = onTermination(actions);
  process.on('beforeExit', beforeExit);
  process.on('exit', exit);
  return () => {
    process.off('beforeExit', beforeExit);
    process.off('exit', exit);
    stopTermination();
  };
}
