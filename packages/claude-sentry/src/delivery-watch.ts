import type * as Sentry from '@sentry/node';
import type { Diag } from '@spanprism/core';
import { ORIGIN, SENTRY_ORIGIN } from './sentry-dialect.ts';

export type SentryClient = NonNullable<ReturnType<typeof Sentry.getClient>>;
type Transport = NonNullable<ReturnType<SentryClient['getTransport']>>;
type Envelope = Parameters<Transport['send']>[0];
type Answer = Awaited<ReturnType<Transport['send']>>;

/** Sentry delivers, and says of what it could not deliver nothing but in its debug log: this tells, and counts, what became of our spans. */
export class DeliveryWatch {
  readonly #diag: Diag;
  readonly #watched: WeakSet<Transport> = new WeakSet();
  readonly #inFlight: Set<PromiseLike<void>> = new Set();
  readonly #told: Set<string> = new Set();
  readonly lost: Map<string, number> = new Map();
  #lostSinceFlush = 0;

  constructor(diag: Diag) {
    this.#diag = diag;
  }

  /** Looks at what the client's transport answers from now on; what it sends and answers stays what it is. */
  watch(client: SentryClient): void {
    const transport = client.getTransport();
    if (transport === undefined || this.#watched.has(transport)) return;
    this.#watched.add(transport);
    const host = client.getDsn()?.host ?? 'Sentry';
    const send = transport.send.bind(transport);
    transport.send = (envelope) => {
      const sent = send(envelope);
      const spans = ownSpans(envelope);
      if (spans > 0) this.#follow(sent, spans, host);
      return sent;
    };
  }

  /** Rejects when the client was not done in time, or when spans were lost since the last time. */
  async flush(client: SentryClient | undefined, deadlineMs: number): Promise<void> {
    if (client === undefined) return;
    const isDone = await withinDeadline(client.flush(deadlineMs), deadlineMs);
    if (!isDone) throw new Error(`Sentry did not take everything within ${deadlineMs} ms`);
    await Promise.all(this.#inFlight);
    const lost = this.#lostSinceFlush;
    this.#lostSinceFlush = 0;
    if (lost > 0) throw new Error(`Sentry did not take ${lost} spans: ${[...this.lost.keys()].join(', ')}`);
  }

  #follow(sent: PromiseLike<Answer>, spans: number, host: string): void {
    const done = sent.then(
      ({ statusCode }) => this.#note(reasonOf(statusCode), spans, host),
      (error: unknown) => this.#note(codeOf(error), spans, host),
    );
    this.#inFlight.add(done);
    void done.then(() => this.#inFlight.delete(done));
  }

  #note(reason: string | undefined, spans: number, host: string): void {
    if (reason === undefined) {
      this.#told.clear();
      return;
    }
    this.lost.set(reason, (this.lost.get(reason) ?? 0) + spans);
    this.#lostSinceFlush += spans;
    // Once until something arrives again: the tenth of the same says nothing new.
    if (this.#told.has(reason)) return;
    this.#told.add(reason);
    this.#diag(
      'warn',
      `sentry: ${spans} spans were not taken by ${host} (${reason}) and are lost. ${adviceFor(reason)}`,
    );
  }
}

interface EnvelopePayload {
  readonly items?: readonly { readonly attributes?: { readonly [SENTRY_ORIGIN]?: { readonly value?: unknown } } }[];
  readonly contexts?: { readonly trace?: { readonly origin?: unknown } };
  readonly spans?: readonly { readonly origin?: unknown }[];
}

/** How many spans of ours an envelope carries, in transactions and on their own. */
function ownSpans([, items]: Envelope): number {
  const payloads = items.map(([, payload]) => payload as EnvelopePayload | string | Uint8Array);
  const origins = payloads.flatMap((payload) =>
    typeof payload === 'object' && !ArrayBuffer.isView(payload) ? originsIn(payload) : [],
  );
  return origins.filter((origin) => origin === ORIGIN).length;
}

function originsIn({ items = [], contexts, spans = [] }: EnvelopePayload): readonly unknown[] {
  const streamed = items.map(({ attributes }) => attributes?.[SENTRY_ORIGIN]?.value);
  return [...streamed, contexts?.trace?.origin, ...spans.map(({ origin }) => origin)];
}

/** Why an envelope did not arrive; undefined when it did. Without a status Sentry has not even sent it. */
function reasonOf(statusCode: number | undefined): string | undefined {
  if (statusCode === undefined) return 'not_sent';
  return statusCode >= 200 && statusCode < 300 ? undefined : `http_${statusCode}`;
}

function codeOf(error: unknown): string {
  const code: unknown = typeof error === 'object' && error !== null ? Reflect.get(error, 'code') : undefined;
  return typeof code === 'string' ? code : 'network_error';
}

const WRONG_DSN =
  'Check the DSN given to Sentry.init: its key, its project or its region is wrong, or the project is disabled';
const ADVICE: Readonly<Record<string, string>> = {
  http_400: WRONG_DSN,
  http_401: WRONG_DSN,
  http_403: WRONG_DSN,
  http_404: WRONG_DSN,
  http_413: 'They are too large for Sentry: capture less (maxTextBytes), or set traceLifecycle to stream',
  http_429: 'The quota of the project is used up, or it is asked for too often: sample fewer traces (tracesSampleRate)',
  not_sent:
    'Sentry holds back after earlier refusals, or too much is under way: sample fewer traces (tracesSampleRate)',
};

function adviceFor(reason: string): string {
  const isAnswer = reason.startsWith('http_');
  return (
    ADVICE[reason] ?? (isAnswer ? 'Sentry is out of order' : 'Check the host of the DSN, the network and its proxy')
  );
}

async function withinDeadline(work: PromiseLike<boolean>, deadlineMs: number): Promise<boolean> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<boolean>((resolve) => {
    timer = setTimeout(() => resolve(false), deadlineMs);
  });
  try {
    return await Promise.race([work, late]);
  } finally {
    clearTimeout(timer);
  }
}
