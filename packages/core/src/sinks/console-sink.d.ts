import type { CaptureOptions } from '../model/capture-options.ts';
import type { Sink } from '../model/sink.ts';
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
/** A live view: one line for each prompt, call, tool, wait and end, with tokens and cost. Lines are cut to the terminal's width. */
export declare function consoleSink(options?: ConsoleSinkOptions): Sink;
