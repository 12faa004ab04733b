import type { CaptureOptions } from './capture-options.ts';
import type { TraceContext, SpanId } from './ids.ts';
import type { Attributes, Span } from './span.ts';
import type { UnixNano } from './time.ts';

declare const captured: unique symbol;

/** UTF-8 bytes of each content field as it was before capture removed, redacted or cut it. Absent = the field held nothing. */
export interface ContentSizes {
  readonly input?: number;
  readonly output?: number;
  readonly systemInstructions?: number;
  readonly toolDefinitions?: number;
}

/**
 * A span that has passed one sink's capture policy: what may not leave is gone, and what is left is redacted and cut.
 * Only `applyCapture` makes one, and sinks take nothing else.
 */
export type CapturedSpan<S extends Span = Span> = S extends Span
  ? S & { readonly [captured]: true; readonly contentBytes: ContentSizes }
  : never;

/** One data point of a metric, ours or the CLI's own. */
export interface MetricPoint {
  readonly name: string;
  readonly unit: string;
  readonly description?: string;
  readonly attributes: Attributes;
  readonly startedAt: UnixNano;
  readonly at: UnixNano;
  /** A whole number on the wire, as whoever counted has it in every point of the series; a double unless given. */
  readonly isInt?: boolean;
  readonly data:
    | {
        readonly type: 'sum';
        readonly value: number;
        readonly isMonotonic: boolean;
        readonly temporality: 'delta' | 'cumulative';
      }
    | { readonly type: 'gauge'; readonly value: number }
    | {
        readonly type: 'histogram';
        readonly count: number;
        readonly sum: number;
        readonly bounds: readonly number[];
        readonly bucketCounts: readonly number[];
        readonly temporality: 'delta' | 'cumulative';
      };
}

/** What a sink has done so far. Spans that were given up say why. */
export interface SinkStats {
  readonly delivered: number;
  readonly queued: number;
  readonly dropped: Readonly<Record<string, number>>;
}

/** Delivers captured spans. Nothing that a sink does may reach the user's program; whatever it throws is caught and counted. */
export interface Sink {
  readonly name: string;
  /** Switched off by its user, as a backend's own variables may say: it takes everything and sends nothing. */
  readonly isDisabled?: true;
  /** What this sink may see; without it, what `createTracing` says. */
  readonly capture?: CaptureOptions;
  /** What the user's own settings of the vendor's SDK say: for when neither the sink nor `createTracing` was given a `capture`. */
  readonly captureBySettings?: CaptureOptions;
  /** Live sinks only. A sink that mints ids of its own returns the context it gave the span; core adopts its trace id for a new trace. */
  spanStart?(span: CapturedSpan): TraceContext | undefined;
  /** Synchronous and cheap; I/O happens in the background. */
  spanEnd(span: CapturedSpan): void;
  /** Nothing of that turn or segment comes after this. */
  turnEnd?(rootSpanId: SpanId): void;
  /** GenAI metrics of ours, and the CLI's own. */
  metrics?(points: readonly MetricPoint[]): void;
  /** What is active in the host right now; core learns of the host's tracing through sinks alone. */
  ambient?(): TraceContext | undefined;
  /** Runs user code (MCP tool handlers, `tracing.span`) inside this started span. */
  activate?<T>(spanId: SpanId, run: () => T): T;
  /**
   * Resolves when everything given so far is delivered or given up; rejects when some was not. Never takes longer than the deadline.
   * An error with `isTold: true` is one of which the sink's diagnostics have a line already: nobody adds another.
   */
  flush(deadlineMs: number): Promise<void>;
  close(deadlineMs: number): Promise<void>;
  stats?(): SinkStats;
  /**
   * For an exit that leaves no time: write what is queued where the next start finds it. With `isFinal` nothing comes after it: what
   * cannot be written is lost, which is counted and told.
   */
  persistSync?(isFinal: boolean): void;
  /** Told by `createTracing`: where diagnostics go for a sink that was given no place of its own. */
  useDiag?(diag: Diag): void;
}

/** Where diagnostics go. One clear line each: what, where, how to fix. */
export type Diag = (level: 'debug' | 'info' | 'warn' | 'error', message: string) => void;
