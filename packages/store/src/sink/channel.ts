import { existsSync } from 'node:fs';
import { Worker } from 'node:worker_threads';
import type { PackedRows } from './packed-rows.ts';
import { Scribe, type ScribeOptions } from './scribe.ts';
import type { ThreadStart, ToMain, ToThread } from './thread-protocol.ts';

/** The way to the scribe. */
export interface Channel {
  send(id: number, rows: PackedRows): void;
  /** While something waits for an answer the program must not end for lack of anything else to do. */
  hold(isHeld: boolean): void;
  /** Resolves when the scribe is gone. */
  close(): Promise<void>;
}

export interface ChannelOptions extends Omit<ScribeOptions, 'busyMs'> {
  /** The thread cannot start, or has died: what it has not acknowledged is not stored. Told once. */
  readonly onGone: (reason: string) => void;
}

/** To a scribe in a thread of its own. */
export function threadChannel(options: ChannelOptions): Channel {
  const here = import.meta.url as string | undefined;
  // A bundler that writes CommonJS leaves it undefined.
  if (here === undefined) throw new Error('there is no import.meta.url');
  const extension = here.slice(here.lastIndexOf('.'));
  const entry = new URL(`./store-thread${extension}`, here);
  // Asked here because the thread would tell it late, and as an error of the loader.
  if (entry.protocol === 'file:' && !existsSync(entry)) throw new Error(`${entry.pathname} is not there`);
  const { path, retention, tell, onGone } = options;
  const workerData: ThreadStart = { path, retention };
  // The application's flags and preloads have no business in this thread.
  const worker = new Worker(entry, { name: 'spanprism-store', workerData, execArgv: [], env: {} });
  let isClosing = false;
  let isGone = false;
  const gone = new Promise<void>((resolve) => {
    const leave = (reason: string): void => {
      resolve();
      if (!isGone && !isClosing) onGone(reason);
      isGone = true;
    };
    worker.on('error', (error) => leave(String(error)));
    worker.on('exit', (code) => leave(`it ended with code ${code}`));
  });
  worker.on('message', (message: ToMain) => tell(message));
  worker.unref();
  const order = (message: ToThread): void => worker.postMessage(message);
  return {
    send: (id, rows) => order({ type: 'rows', id, rows }),
    hold: (isHeld) => void (isHeld ? worker.ref() : worker.unref()),
    close: () => {
      isClosing = true;
      order({ type: 'close' });
      return gone;
    },
  };
}

/** To a scribe in this thread, for runtimes that have no other: it never waits for a lock, but what it writes takes the user's time. */
export function localChannel(options: Omit<ScribeOptions, 'busyMs'>): Channel {
  const scribe = new Scribe({ ...options, busyMs: 0 });
  let timer: ReturnType<typeof setInterval> | undefined;
  return {
    send: (id, rows) => scribe.take(id, rows),
    hold: (isHeld) => {
      clearInterval(timer);
      timer = isHeld ? setInterval(() => undefined, 1_000) : undefined;
    },
    close: async () => scribe.close(),
  };
}
