import * as Sentry from '@sentry/node';
import type { Sink } from '@spanprism/core';
import { LiveSpans } from '@spanprism/core/live';
import { sinkDiag } from '@spanprism/core/otlp';
import { DeliveryWatch } from './delivery-watch.ts';
import { FailureReports } from './failure-reports.ts';
import { captureOf, checkOptions, type SentryOptions, type UserOptions } from './options.ts';
import { Pieces } from './pieces.ts';
import { whyNotTracing } from './places.ts';
import { sentryDialect } from './sentry-dialect.ts';

export interface SentrySinkOptions extends SentryOptions {
  /** Unique among the sinks of a program; `sentry` unless given. */
  readonly name?: string;
}

const TROUBLE = {
  no_client: 'Sentry is not initialised, or closed: call Sentry.init first',
  tracing_disabled: 'Sentry does not trace: give Sentry.init a tracesSampleRate or a tracesSampler',
} as const;

/**
 * Live spans and failures in Sentry, through the client that `Sentry.init` has made: below Sentry's active span, sampled, filtered
 * and sent as Sentry was told to. Initialises nothing and closes nothing. Throws a `ConfigurationError` for a wrong option.
 */
export function sentrySink(options: SentrySinkOptions = {}): Sink {
  checkOptions(options, 'sentrySink', 'name');
  const { toolParent = 'agent', captureErrors, name = 'sentry' } = options;
  const { diag, useDiag } = sinkDiag(options.diag);
  const capture = captureOf(options, (Sentry.getClient()?.getOptions() ?? {}) as UserOptions);
  const dialect = sentryDialect({ toolParent });
  const pieces = new Pieces(dialect, new FailureReports(captureErrors, dialect));
  const live = new LiveSpans(pieces);
  const watch = new DeliveryWatch(diag);
  let isTroubleTold = false;
  const look = (): void => {
    const client = Sentry.getClient();
    if (client !== undefined) watch.watch(client);
    const trouble = whyNotTracing();
    if (trouble !== undefined && !isTroubleTold) diag('warn', `sentry: no spans arrive. ${TROUBLE[trouble]}`);
    isTroubleTold ||= trouble !== undefined;
  };
  const flush: Sink['flush'] = (deadlineMs) => watch.flush(Sentry.getClient(), deadlineMs);
  return {
    name,
    ...(capture === undefined ? {} : { capture }),
    useDiag,
    spanStart: (span) => {
      look();
      return live.start(span);
    },
    spanEnd: (span) => {
      look();
      live.end(span);
    },
    turnEnd: (rootSpanId) => live.endTurn(rootSpanId),
    ambient: () => live.ambient(),
    activate: (spanId, run) => live.activate(spanId, run),
    flush,
    close: (deadlineMs) => {
      live.abandon();
      return flush(deadlineMs);
    },
    stats: () => {
      const { delivered, queued, dropped } = live.stats();
      const overflow = pieces.overflow === 0 ? [] : [['buffer_overflow', pieces.overflow] as const];
      const lost = [...overflow, ...watch.lost];
      const arrived = lost.reduce((rest, [, spans]) => rest - spans, delivered);
      return { delivered: Math.max(0, arrived), queued, dropped: { ...dropped, ...Object.fromEntries(lost) } };
    },
  };
}
