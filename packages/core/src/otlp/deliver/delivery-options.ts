import { ConfigurationError } from '../../model/configuration-error.ts';
import type { Diag, SinkStats } from '../../model/sink.ts';
import type { Complaints } from './complaints.ts';
import type { Transport } from './http-transport.ts';
import type { RetryPolicy } from './retry-gate.ts';
import type { SpoolOptions } from './spool.ts';
import type { Timers } from './timers.ts';

/** What a successful answer says about the batch: OTLP's partial success, or its like. */
export interface Receipt {
  readonly rejected: number;
  readonly message?: string;
}

export type Headers = Readonly<Record<string, string>>;

/** A request as it goes out, its body compressed if it is to be. Header names are in lower case. */
export interface FinishedRequest {
  readonly url: URL;
  readonly headers: Headers;
  readonly body: Uint8Array;
}

/** Gives the headers that depend on the finished request. Asked anew for every attempt; what it throws counts as not sent. */
export type SignRequest = (request: FinishedRequest) => Headers | Promise<Headers>;

export interface DeliveryOptions {
  /** The sink's name, for diagnostics and the spool's folder. */
  readonly name: string;
  /** The full URL that takes the POST. A user and password in it become a Basic `authorization` header. */
  readonly url: string;
  /** Sent with every request, asked for anew each time if a function. Secret: never logged, never on disk. */
  readonly headers?: Headers | (() => Headers);
  readonly sign?: SignRequest;
  readonly contentType: string;
  readonly compression?: 'gzip' | 'none';
  /** The body of a batch from its encoded records. */
  readonly assemble: (records: readonly Uint8Array[]) => Uint8Array;
  readonly readResponse?: (body: Uint8Array, contentType: string) => Receipt;
  /** Before compression; 3 MiB, below the 4 MiB that many gateways allow. Shrinks when the backend answers 413. */
  readonly maxBatchBytes?: number;
  readonly maxBatchItems?: number;
  /** Everything held in memory, on its way included; 32 MiB. Beyond it the oldest goes first. */
  readonly maxQueueBytes?: number;
  /** How long a record waits for company; 500 ms. */
  readonly scheduleMs?: number;
  readonly requestTimeoutMs?: number;
  readonly retry?: Partial<RetryPolicy>;
  /** Requests at a time; 1 keeps the order. */
  readonly concurrency?: number;
  readonly spool?: SpoolOptions;
  /** Advice of the sink's own by HTTP status or error code, e.g. `{ 401: 'Check LANGFUSE_SECRET_KEY.' }`. */
  readonly fixes?: Readonly<Record<string, string>>;
  /** Runs each request unseen by the host's tracing, which would else trace our exports. */
  readonly suppress?: <T>(run: () => T) => T;
  readonly diag?: Diag;
  /** In place of `diag`: shared by deliveries to one backend, so that a fault of it is told once. */
  readonly complaints?: Complaints;
  readonly timers?: Timers;
  readonly random?: () => number;
  readonly transport?: Transport;
}

/** `spooled`: records put on disk for later because memory, retries or time had run out. */
export interface DeliveryStats extends SinkStats {
  readonly spooled: number;
}

export interface Delivery {
  /** Takes one encoded record, which must not be changed afterwards; never throws, never blocks on the network. */
  enqueue(record: Uint8Array): void;
  /**
   * Resolves when everything enqueued before has been accepted; rejects with one `DeliveryError` when some was not within the
   * deadline, or has been given up since the last flush. Keeps the process alive till then.
   */
  flush(deadlineMs: number): Promise<void>;
  /** Flushes, then stops; what is left goes to the spool or is dropped and counted. Rejects as `flush` does. */
  close(deadlineMs: number): Promise<void>;
  /**
   * For an exit: everything undelivered goes to the spool, at once, and is no longer ours to send. Without a spool nothing happens
   * unless the exit `isFinal`: then it is lost, counted and told.
   */
  persistSync(isFinal?: boolean): void;
  stats(): DeliveryStats;
}

/** From `flush` and `close`. */
export class DeliveryError extends Error {
  readonly code = 'undelivered';
  /** Diagnostics have a line on it: already, or since whoever waited has told them. */
  isTold: boolean;

  constructor(message: string, isTold: boolean) {
    super(message);
    this.name = 'DeliveryError';
    this.isTold = isTold;
  }
}

const MIB = 1024 * 1024;

/** Everything settled, defaults filled in. */
export type DeliverySettings = Required<
  Pick<DeliveryOptions, 'maxBatchBytes' | 'maxBatchItems' | 'maxQueueBytes' | 'scheduleMs'>
> &
  Required<Pick<DeliveryOptions, 'requestTimeoutMs' | 'concurrency'>> & {
    readonly url: URL;
    readonly retry: RetryPolicy;
  };

/** Checks what can be checked before the first request; throws with what to do. */
export function settle(options: DeliveryOptions): DeliverySettings {
  const settings = {
    maxBatchBytes: options.maxBatchBytes ?? 3 * MIB,
    maxBatchItems: options.maxBatchItems ?? 512,
    maxQueueBytes: options.maxQueueBytes ?? 32 * MIB,
    scheduleMs: options.scheduleMs ?? 500,
    requestTimeoutMs: options.requestTimeoutMs ?? 10_000,
    concurrency: options.concurrency ?? 1,
  };
  for (const [name, value] of Object.entries(settings)) {
    const isWrong = !Number.isFinite(value) || value < 0 || (value === 0 && name !== 'scheduleMs');
    if (isWrong) throw wrong(`${options.name}: ${SHOWN[name] ?? name} is ${value}; it must be a positive number.`);
  }
  const retry = { initialMs: 500, maxMs: 30_000, maxElapsedMs: 300_000, ...options.retry };
  return { ...settings, retry, url: readUrl(options) };
}

function readUrl(options: DeliveryOptions): URL {
  // The value itself is not shown: people put keys into URLs.
  if (!URL.canParse(options.url)) {
    throw wrong(`${options.name}: the endpoint is not a URL; it must look like https://host/v1/traces.`);
  }
  const url = new URL(options.url);
  if (url.protocol === 'http:' || url.protocol === 'https:') return url;
  throw wrong(`${options.name}: the endpoint starts with ${url.protocol}//; it must be http:// or https://.`);
}

/** As the options of sinks call it. */
const SHOWN: Readonly<Record<string, string>> = { requestTimeoutMs: 'timeoutMs' };

function wrong(message: string): ConfigurationError {
  return new ConfigurationError('invalid_option', message);
}
