import { readHere } from './loopback/wire/read-wire.ts';
import { startWire, type WireStats } from './loopback/wire/start-wire.ts';
import type { Observation } from './model/observation.ts';
import type { Environment } from './sources/sdk/child-environment.ts';
import { QueryWire } from './tracing/query-wire.ts';

export type { WireStats } from './loopback/wire/start-wire.ts';
export type { Observation } from './model/observation.ts';

export interface ChildWireParts {
  /** Of the child, as its user has it: says where its requests go. */
  readonly environment: Environment;
  /** Told why the child's requests are not captured, perhaps before this has returned. */
  readonly onLeftAlone: (reason: string) => void;
  /** Told what a listener threw. */
  readonly onError?: (error: unknown) => void;
}

/** The requests of one child to the model, as they pass. */
export interface ChildWire extends AsyncDisposable {
  /** What the child's environment gets on top: its base URL, and that proxies leave it alone. */
  readonly additions: Environment;
  /** Hands on what was seen, from the beginning. */
  listen(observe: (observation: Observation) => void): void;
  /** Settles when everything that has passed was handed on, or the time is over. */
  drained(deadlineMs: number): Promise<void>;
  stats(): WireStats;
  close(): Promise<void>;
}

const LOOK_AGAIN_MS = 5;

/**
 * Has the requests of a child that is about to be started pass through a thread of their own; what has passed is read on this one, for
 * a program that has nothing else to do. Undefined when they are left alone. Never rejects.
 */
export async function childWire(parts: ChildWireParts): Promise<ChildWire | undefined> {
  const { environment, onLeftAlone, onError = () => undefined } = parts;
  const waiting: Observation[] = [];
  let take = (observation: Observation): void => void waiting.push(observation);
  const wire = startWire({
    reader: readHere,
    onFailure: ({ code, message }) => onLeftAlone(`${code}: ${message}`),
    onError,
  });
  await wire.ready();
  const child =
    wire.stats().state === 'listening'
      ? QueryWire.open({
          wire,
          environment,
          onLeftAlone,
          observe: (observation) => take(observation),
          onNews: () => undefined,
          guard: (_, run) => run(),
        })
      : undefined;
  if (child === undefined) {
    await wire.close();
    return undefined;
  }
  const close = (): Promise<void> => wire.close();
  return {
    additions: child.additions,
    listen: (observe) => {
      take = observe;
      for (const observation of waiting.splice(0)) observe(observation);
    },
    drained: async (deadlineMs) => {
      const until = performance.now() + deadlineMs;
      for (;;) {
        const { calls, captured, lost } = wire.stats();
        if (captured + lost >= calls || performance.now() > until) return;
        await new Promise((resolve) => setTimeout(resolve, LOOK_AGAIN_MS));
      }
    },
    stats: () => wire.stats(),
    close,
    [Symbol.asyncDispose]: close,
  };
}
