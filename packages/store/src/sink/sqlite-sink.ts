import { type CaptureOptions, ConfigurationError, type Diag, type Sink } from '@spanprism/core';
import { openForWriting } from '../open-database.ts';
import { rowOf, type SpanRow } from '../span-row.ts';
import { StoreProblem } from '../sqlite.ts';
import { defaultStorePath } from '../store-path.ts';
import { Writer } from '../write/writer.ts';

export interface SqliteSinkOptions {
  /** Default: `defaultStorePath()`. */
  readonly path?: string;
  /** Unique among the sinks of a program. Default `store`. */
  readonly name?: string;
  /** What is kept; the policy of `createTracing` unless given, which is metadata unless told otherwise. */
  readonly capture?: CaptureOptions;
  readonly diag?: Diag;
}

/** Keeps traces in a SQLite file on this machine. */
export function sqliteSink(options: SqliteSinkOptions = {}): Sink {
  const { path = defaultStorePath(), name = 'store', capture } = options;
  const writer = new Writer(opened(path));
  const rows: SpanRow[] = [];
  let delivered = 0;
  const write = (): void => {
    const batch = rows.splice(0);
    if (batch.length > 0) writer.write(batch);
    delivered += batch.length;
  };
  return {
    name,
    ...(capture === undefined ? {} : { capture }),
    spanEnd: (span) => {
      rows.push(rowOf(span));
    },
    flush: async () => write(),
    close: async () => write(),
    persistSync: write,
    stats: () => ({ delivered, queued: rows.length, dropped: {} }),
  };
}

function opened(path: string): ReturnType<typeof openForWriting> {
  try {
    return openForWriting(path, { busyMs: 1_000 });
  } catch (error) {
    if (error instanceof StoreProblem) throw new ConfigurationError(error.code, error.message, { cause: error });
    throw error;
  }
}
