import * as Sentry from '@sentry/node';
import type { Sink } from '@spanprism/core';
import { LiveSpans } from '@spanprism/core/live';
import { sinkDiag } from '@spanprism/core/otlp';
import { DeliveryWatch } from './delivery-watch.ts';
import { failureReports } from './failure-reports.ts';
import { captureOf, checkOptions, type SentryOptions } from './options.ts';
import { Pieces } from './pieces.ts';
import { whyNotTracing } from './places.ts';
import { sentryDialect } from './sentry-dialect.ts';

export interface SentrySinkOptions extends SentryOptions {
  /** Unique among the sinks of a program; `sentry` unless given. */
  readonly name?: string;
}

/** Spans and failures through the client that `Sentry.init` has made, sampled and sent as it was told to. A wrong option throws a `ConfigurationError`. */
export function sentrySink(options: SentrySinkOptions = {}): Sink {
  checkOptions(options, 'sentrySink', 'name');
  const { toolParent = 'agent', captureErrors, name = 'sentry' } = options;
  const { diag, useDiag } = sinkDiag(options.diag);
  const dialect = sentryDialect({ toolParent });
  const pieces = new Pieces(dialect, failureReports(captureErrors, dialect));
  const live = new LiveSpans(pieces);
  const watch = new DeliveryWatch(diag);
  let isTold = false;
  const heard = <T>(tell: () => T): T => {
    const client = Sentry.getClient();
    if (client !== undefined) watch.watch(client);
    const trouble = whyNotTracing();
    if (trouble !== undefined && !isTold)
      diag(
        'warn',
        `sentry: no spans arrive (${trouble}): call Sentry.init before, with a tracesSampleRate or tracesSampler`,
      );
    isTold ||= trouble !== undefined;
    return tell();
  };
  const flush: Sink['flush'] = (deadlineMs) => watch.flush(Sentry.getClient(), deadlineMs);
  return {
    name,
    ...captureOf(options),
    useDiag,
    spanStart: (span) => heard(() => live.start(span)),
    spanEnd: (span) => heard(() => live.end(span)),
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
      const lost = [['buffer_overflow', pieces.overflow] as const, ...watch.losses.byReason].filter(
        ([, spans]) => spans > 0,
      );
      const arrived = lost.reduce((rest, [, spans]) => rest - spans, delivered);
      return { delivered: Math.max(0, arrived), queued, dropped: { ...dropped, ...Object.fromEntries(lost) } };
    },
  };
}
