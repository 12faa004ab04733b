import type * as Sentry from '@sentry/node';
import type { Diag } from '@spanprism/core';
import { Losses } from '@spanprism/core/live';
import { ORIGIN } from './sentry-dialect.ts';

export type SentryClient = NonNullable<ReturnType<typeof Sentry.getClient>>;
type Transport = NonNullable<ReturnType<SentryClient['getTransport']>>;

const ADVICE: readonly (readonly [reason: RegExp, advice: string])[] = [
  [/^http_40/, 'Check the DSN given to Sentry.init: its key, project or region is wrong, or the project is disabled'],
  [/^http_413/, 'They are too large: capture less (maxTextBytes), or set traceLifecycle to stream'],
  [/^(http_429|not_sent)/, 'Sentry holds back, or the quota is used up: sample fewer traces (tracesSampleRate)'],
  [/^/, 'Check the host of the DSN, the network and its proxy, and whether Sentry is up'],
];

/** Sentry says only in its debug log what it could not deliver: this tells, and counts, what became of our spans. */
export class DeliveryWatch {
  readonly losses: Losses = new Losses();
  readonly #diag: Diag;
  readonly #watched: WeakSet<Transport> = new WeakSet();

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
      void sent.then(
        // Without a status it was not even sent.
        ({ statusCode: code }) => {
          if (code === undefined || code < 200 || code >= 300) lose(code === undefined ? 'not_sent' : `http_${code}`);
        },
        (error: NodeJS.ErrnoException) => lose(error.code ?? 'network_error'),
      );
      return sent;
    };
  }

  /** Rejects when the client was not done in time, or when spans were lost since the last time. */
  async flush(client: SentryClient | undefined, deadlineMs: number): Promise<void> {
    // It waits twice: until events are made, and until they are sent. To wait for 0 ms is to wait for ever.
    const isDone = await client?.flush(Math.max(1, deadlineMs / 2));
    if (isDone === false) throw new Error(`Sentry did not take everything within ${deadlineMs} ms`);
    const lost = this.losses.take();
    const reasons = [...this.losses.byReason.keys()].join(', ');
    if (lost > 0) throw Object.assign(new Error(`Sentry did not take ${lost} spans: ${reasons}`), { isTold: true });
  }

  #lose(reason: string, spans: number, host: string): void {
    const [, advice] = ADVICE.find(([pattern]) => pattern.test(reason)) ?? [];
    this.losses.add(reason, spans, () =>
      this.#diag('warn', `sentry: ${spans} spans were not taken by ${host} (${reason}) and are lost. ${advice}`),
    );
  }
}

/** How many spans of ours an envelope carries. Each says its origin, in one form or the other; errors say it as their mechanism. */
function ownSpans(envelope: unknown): number {
  const text = JSON.stringify(envelope);
  return text.split(`"origin":"${ORIGIN}"`).length + text.split(`"sentry.origin":{"value":"${ORIGIN}"`).length - 2;
}
