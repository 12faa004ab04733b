import type { CaptureOptions } from '../model/capture-options.ts';
import { given } from '../model/given.ts';
import type { CapturedSpan, Sink } from '../model/sink.ts';
import { writeStderr } from '../model/write-stderr.ts';
import { ConsoleView } from './console-view.ts';

/** Where lines are written: a terminal, a file, a test. */
export interface LineStream {
  write(text: string): unknown;
  readonly isTTY?: boolean;
  readonly columns?: number;
}

export interface ConsoleSinkOptions {
  /** Default `console`. */
  readonly name?: string;
  /** Default stderr. */
  readonly stream?: LineStream;
  /** Default: on a terminal, unless `NO_COLOR` is set or `TERM` is `dumb`. */
  readonly color?: boolean;
  /** Default metadata, for stderr often ends up in a log: `full` shows prompts and arguments. */
  readonly capture?: CaptureOptions;
  /** Default `process.env`. */
  readonly environment?: Readonly<Record<string, string | undefined>>;
}

const STDERR: LineStream = {
  write: writeStderr,
  get isTTY() {
    return process.stderr.isTTY;
  },
  get columns() {
    return process.stderr.columns;
  },
};

/** A live view: one line for each prompt, call, tool, wait and end, with tokens and cost. Lines are cut to the terminal's width. */
export function consoleSink(options: ConsoleSinkOptions = {}): Sink {
  const { name = 'console', stream = STDERR, environment = process.env, capture } = options;
  const { color: hasColor = stream.isTTY === true && !environment['NO_COLOR'] && environment['TERM'] !== 'dumb' } =
    options;
  const view = new ConsoleView(
    (line) => stream.write(`${line}\n`),
    () => ({ hasColor, columns: stream.columns }),
  );
  return {
    name,
    ...given('capture', capture),
    spanStart: (span: CapturedSpan) => {
      view.started(span);
      return undefined;
    },
    spanEnd: (span) => view.ended(span),
    turnEnd: (rootSpanId) => view.turnEnded(rootSpanId),
    flush: async () => undefined,
    close: async () => undefined,
  };
}
