import type { Loopback, LoopbackClient } from '../../loopback/start-loopback.ts';
import type { OtlpRequest } from '../../otlp/records.ts';

/** A loopback whose thread has received what the test says; it is handed out when somebody drains, or by `deliver`. */
export interface Mailbox {
  readonly loopback: Loopback;
  receive(...requests: readonly OtlpRequest[]): void;
  deliver(): void;
  childGone(): void;
  readonly isReleased: boolean;
}

export function mailbox(): Mailbox {
  const waiting: OtlpRequest[] = [];
  let client: LoopbackClient | undefined;
  let isReleased = false;
  const deliver = (): void => {
    for (let next = waiting.shift(); next !== undefined; next = waiting.shift()) client?.batch(next);
  };
  const received = { traces: 0, logs: 0, metrics: 0 };
  return {
    loopback: {
      port: () => 1,
      ready: async () => undefined,
      register: (registered) => {
        client = registered;
        return {
          received,
          endpoint: (signal) => `http://127.0.0.1:1/token/v1/${signal}`,
          release: () => {
            isReleased = true;
            client = undefined;
          },
        };
      },
      readWire: () => undefined,
    drainSync: deliver,
      stats: () => {
        throw new Error('not asked for');
      },
      close: async () => undefined,
    },
    receive: (...requests) => void waiting.push(...requests),
    deliver,
    childGone: () => {
      deliver();
      client?.childGone?.();
    },
    get isReleased() {
      return isReleased;
    },
  };
}
