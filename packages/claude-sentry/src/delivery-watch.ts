import type * as Sentry from '@sentry/node';
import type { Diag } from '@spanprism/core';
import { ORIGIN } from './sentry-dialect.ts';

export type SentryClient = NonNullable<ReturnType<typeof Sentry.getClient>>;
type Transport = NonNullable<ReturnType<SentryClient['getTransport']>>;
type Envelope = Parameters<Transport['send']>[0];

const WRONG_DSN = 'Check the DSN given to Sentry.init: its key, project or region is wrong, or the project is disabled';
const ADVICE: Readonly<Record<string, string>> = {
  http_400: WRONG_DSN,
  http_401: WRONG_DSN,
  http_403: WRONG_DSN,
  http_404: WRONG_DSN,
  http_413: 'They are too large: capture less (maxTextBytes), or set traceLifecycle to stream',
  http_429: 'The quota of the project is used up: sample fewer traces (tracesSampleRate)',
  not_sent: 'Sentry holds back after refusals, or too much is under way: sample fewer traces (tracesSampleRate)',
};

/** Sentry says only in its debug log what it could not deliver: this tells, and counts, what became of our spans. */
export class DeliveryWatch {
  readonly lost: Map<string, number> = new Map();
  readonly #diag: Diag;
  readonly #watched: WeakSet<Transport> = new WeakSet();
  readonly #inFlight: Set<PromiseLike<void>> = new Set();
  #lostSinceFlush = 0;

  constructor(diag: Diag) {
    this.#diag = diag;
  }

  /** Looks at what the client's transport answers from now on; what it sends and answers stays what it is. */
  watch(client: SentryClient): void {
    const transport = client.getTransport();
    if (transport === undefined || this.#watched.has(transport)) return;
    this.#watched.add(transport);
    const send = transport.send.bind(transport);
    transport.send = (envelope) => {
      const sent = send(envelope);
      const lose = (reason: string): void => this.#lose(reason, ownSpans(envelope), client.getDsn()?.host ?? 'Sentry');
      const done = sent.then(
        // Without a status it was not even sent.
        ({ statusCode = 0 }) => {
          if (statusCode < 200 || statusCode >= 300) lose(statusCode === 0 ? 'not_sent' : `http_${statusCode}`);
        },
        (error: NodeJS.ErrnoException) => lose(error.code ?? 'network_error'),
      );
      this.#inFlight.add(done);
      void done.then(() => this.#inFlight.delete(done));
      return sent;
    };
  }

  /** Rejects when the client was not done in time, or when spans were lost since the last time. */
  async flush(client: SentryClient | undefined, deadlineMs: number): Promise<void> {
    // It waits twice: until events are made, and until they are sent. To wait for 0 ms is to wait for ever.
    if ((await client?.flush(Math.max(1, deadlineMs / 2))) === false)
      throw new Error(`Sentry did not take everything within ${deadlineMs} ms`);
    await Promise.all(this.#inFlight);
    const lost = this.#lostSinceFlush;
    this.#lostSinceFlush = 0;
    if (lost > 0) throw new Error(`Sentry did not take ${lost} spans: ${[...this.lost.keys()].join(', ')}`);
  }

  #lose(reason: string, spans: number, host: string): void {
    if (spans === 0) return;
    const before = this.lost.get(reason) ?? 0;
    this.lost.set(reason, before + spans);
    this.#lostSinceFlush += spans;
    // The tenth of the same says nothing new, and stats() counts.
    if (before > 0) return;
    const advice = ADVICE[reason] ?? 'Check the host of the DSN, the network and its proxy, and whether Sentry is up';
    this.#diag('warn', `sentry: ${spans} spans were not taken by ${host} (${reason}) and are lost. ${advice}`);
  }
}

/** How many spans of ours an envelope carries: each says its origin, in the one form or the other. */
function ownSpans(envelope: Envelope): number {
  let count = 0;
  JSON.stringify(envelope, (_, value: { 'sentry.origin'?: unknown; origin?: unknown } | null) => {
    if (typeof value !== 'object' || value === null) return value;
    const { 'sentry.origin': typed, origin } = value;
    if (origin === ORIGIN || (typeof typed === 'object' && typed !== null && Reflect.get(typed, 'value') === ORIGIN))
      count += 1;
    return value;
  });
  return count;
}
