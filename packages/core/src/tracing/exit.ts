import { terminate } from './termination.ts';

/** What has to happen when the process ends. */
export interface ExitActions {
  /** There is time: the event loop has run empty. Bounded; what it begins brings the event again, so it begins nothing without need. */
  readonly flush: () => Promise<void>;
  /** The process was asked to stop: what is open ends here. Bounded. */
  readonly finish: () => Promise<void>;
  /** There is none: write what is known where the next start finds it. An older copy of this package does not say whether that is all. */
  readonly persistSync: (isFinal?: boolean) => void;
}

/** What all copies of this package in the process share: one listener per event, however many traces. */
export interface ProcessEnd {
  readonly actions: Set<ExitActions>;
  readonly beforeExit: () => void;
  readonly exit: () => void;
  readonly sigterm: () => void;
  ending?: Promise<void>;
}

const SHARED: unique symbol = Symbol.for('spanprism.process-end');

/** Watches for the end of the process. Returns the function that stops watching. */
export function watchExit(actions: ExitActions): () => void {
  const shared = sharedEnd();
  if (shared.actions.size === 0) listen(shared);
  shared.actions.add(actions);
  return () => {
    shared.actions.delete(actions);
    if (shared.actions.size === 0) stopListening(shared);
  };
}

function sharedEnd(): ProcessEnd {
  const known = Reflect.get(globalThis, SHARED) as ProcessEnd | undefined;
  if (known !== undefined) return known;
  const actions: Set<ExitActions> = new Set();
  const shared: ProcessEnd = {
    actions,
    beforeExit: () => {
      for (const { flush } of actions) void flush().catch(() => undefined);
    },
    exit: () => {
      for (const { persistSync } of actions) persistSync(true);
    },
    sigterm: () => terminate(shared),
  };
  Reflect.set(globalThis, SHARED, shared);
  return shared;
}

function listen({ beforeExit, exit, sigterm }: ProcessEnd): void {
  process.on('beforeExit', beforeExit);
  process.on('exit', exit);
  // First in line: a `once` listener of somebody else is gone from the list as soon as it has been called.
  process.prependListener('SIGTERM', sigterm);
}

function stopListening({ beforeExit, exit, sigterm }: ProcessEnd): void {
  process.off('beforeExit', beforeExit);
  process.off('exit', exit);
  process.off('SIGTERM', sigterm);
}
