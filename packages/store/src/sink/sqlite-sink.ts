import { type CaptureOptions, ConfigurationError, type Diag, type Sink, sinkDiag } from '@spanprism/core';
import { openForWriting } from '../open-database.ts';
import { isBusy, StoreProblem } from '../sqlite.ts';
import { defaultStorePath, type Environment } from '../store-path.ts';
import { sinkLimits } from './sink-limits.ts';
import { StoreWriting } from './store-writing.ts';

export interface SqliteSinkOptions {
  /** Default: `defaultStorePath()`. */
  readonly path?: string;
  /** Unique among the sinks of a program. Default `store`. */
  readonly name?: string;
  /** What is kept; the policy of `createTracing` unless given, which is metadata unless told otherwise. */
  readonly capture?: CaptureOptions;
  /** Days for which a run is kept since it was last written to. Default 30, or `SPANPRISM_STORE_MAX_AGE_DAYS`. */
  readonly maxAgeDays?: number;
  /** Size of the file above which the oldest runs go. Default 2 GiB, or `SPANPRISM_STORE_MAX_BYTES`. */
  readonly maxBytes?: number;
  /** What may wait to be written; beyond it spans are dropped, and counted. Default 100,000 spans. */
  readonly maxQueuedSpans?: number;
  /** Default 64 MiB. */
  readonly maxQueuedBytes?: number;
  /** Default: where those of `createTracing` go. */
  readonly diag?: Diag;
  readonly environment?: Environment;
}

export interface SqliteSink extends Sink {
  readonly path: string;
  /** How full the queue is, from 0 to 1: whoever can wait does so before spans are dropped. */
  readonly fullness: number;
  persistSync(): void;
}

/**
 * Keeps traces in a SQLite file on this machine. Throws a `ConfigurationError` when the file cannot be one. Spans are written by a
 * thread: neither a slow disk nor another process's lock takes time from the program.
 */
export function sqliteSink(options: SqliteSinkOptions = {}): SqliteSink {
  const { environment = process.env, name = 'store', capture } = options;
  const { path = defaultStorePath(environment) } = options;
  const limits = sinkLimits(options, environment);
  checkStore(path);
  const { diag, useDiag } = sinkDiag(options.diag, environment);
  const writing = new StoreWriting({ path, name, diag, ...limits });
  return {
    name,
    path,
    ...(capture === undefined ? {} : { capture }),
    get fullness() {
      return writing.fullness;
    },
    spanEnd: (span) => writing.add(span),
    flush: (deadlineMs) => writing.flush(deadlineMs),
    close: (deadlineMs) => writing.close(deadlineMs),
    persistSync: () => writing.persistSync(),
    stats: () => writing.stats(),
    useDiag,
  };
}

/** Bad configuration is told at once, in words for the user; a lock is none. */
function checkStore(path: string): void {
  try {
    openForWriting(path, { busyMs: 0 }).close();
  } catch (error) {
    if (error instanceof StoreProblem) throw new ConfigurationError(error.code, error.message, { cause: error });
    if (!isBusy(error)) throw error;
  }
}
