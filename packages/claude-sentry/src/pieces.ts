import * as Sentry from '@sentry/node';
import { type CapturedSpan, msFromUnixNano, type SpanId, type TraceContext, type TraceId } from '@spanprism/core';
import type { Dialect } from '@spanprism/core/dialect';
import type { LiveTracer } from '@spanprism/core/live';
import type { failureReports } from './failure-reports.ts';
import * as places from './places.ts';

type Place = places.Place<Piece>;
/** Sentry's types want arrays that may change, and never changes them. */
type Attributes = Parameters<Sentry.Span['setAttributes']>[0];

/** A span of ours on its way to be one of Sentry's. */
export interface Piece {
  readonly place: Place;
  /** As far as it is known. */
  known: CapturedSpan;
  /** There once something needed it; its start is final from then on. */
  live?: Sentry.Span;
  isEnded: boolean;
  isDelivered: boolean;
  /** With transactions: what has ended below it and goes with it. */
  readonly waiting: Piece[];
}

/**
 * Sentry's span API as a tracer. With streaming, spans go as they end. A transaction goes with its root, and what ends later is none of
 * it: so there spans wait until the turn is over, and what is still open then becomes a transaction of its own in the same trace.
 */
export class Pieces implements LiveTracer<Piece, Place> {
  readonly #dialect: Dialect;
  readonly #report: ReturnType<typeof failureReports>;
  readonly parentSpanId: Dialect['parentSpanId'];
  readonly rootPlace: (span: CapturedSpan) => Place = places.outerPlace;
  /** Spans that Sentry drops, beyond what it keeps of a transaction. */
  overflow = 0;

  constructor(dialect: Dialect, report: ReturnType<typeof failureReports>) {
    this.#dialect = dialect;
    this.#report = report;
    this.parentSpanId = dialect.parentSpanId;
  }

  begin(span: CapturedSpan, place: Place): Piece {
    return { place, known: span, isEnded: false, isDelivered: false, waiting: [] };
  }

  placeBelow(piece: Piece, { within }: Place): Place {
    return { piece, within, start: (options) => places.startBelow(this.#liveOf(piece), options) };
  }

  finish({ span: piece }: { readonly span: Piece }, span: CapturedSpan): void {
    piece.known = span;
    piece.isEnded = true;
    const root = transactionOf(piece);
    if (places.isStreaming()) this.#deliver(piece);
    else if (root === piece) this.#settle(piece);
    else root.waiting.push(piece);
  }

  abandon(piece: Piece): void {
    this.finish({ span: piece }, piece.known);
  }

  traceContext(piece: Piece): TraceContext | undefined {
    return places.whyNotTracing() === undefined ? contextOf(this.#liveOf(piece)) : undefined;
  }

  loss(piece: Piece): string | undefined {
    let begun = piece;
    while (begun.live === undefined && begun.place.piece !== undefined) begun = begun.place.piece;
    return places.whyNotTracing() ?? (places.isSampled(this.#liveOf(begun)) ? undefined : 'sampled_out');
  }

  activate<T>(piece: Piece, run: () => T): T {
    return Sentry.withActiveSpan(this.#liveOf(piece), run);
  }

  ambient(): { readonly context: TraceContext; readonly place: Place } | undefined {
    const span = places.whyNotTracing() === undefined ? Sentry.getActiveSpan() : undefined;
    if (span === undefined) return undefined;
    const start: Place['start'] = (options) => places.startBelow(span, options);
    return { context: contextOf(span), place: { start, within: places.withinScopes() } };
  }

  #liveOf(piece: Piece): Sentry.Span {
    const { place, known } = piece;
    if (piece.live !== undefined) return piece.live;
    const attributes = this.#dialect.attributes(known) as Attributes;
    const options = {
      name: this.#dialect.spanName(known),
      startTime: msFromUnixNano(known.startedAt) / 1000,
      attributes,
    };
    return (piece.live = place.within(() => place.start(options)));
  }

  #settle(root: Piece): void {
    const waiting = root.waiting.splice(0);
    const ready = waiting.filter((piece) => !isBelowOpen(piece, root));
    for (const piece of ready) this.#liveOf(piece);
    const inTransaction = Sentry.getSpanDescendants(Sentry.getRootSpan(this.#liveOf(root))).length - 1;
    // Sentry keeps 1,000, and drops the latest.
    this.overflow += Math.max(0, Math.min(inTransaction - 1000, ready.length));
    for (const piece of [...ready, root]) this.#deliver(piece);
    for (const piece of waiting) if (!piece.isDelivered) transactionOf(piece).waiting.push(piece);
  }

  #deliver(piece: Piece): void {
    const { known, place } = piece;
    const live = this.#liveOf(piece);
    piece.isDelivered = true;
    if (live.isRecording()) {
      live.updateName(this.#dialect.spanName(known)).setAttributes(this.#dialect.attributes(known) as Attributes);
      // Another live sink opened the trace: its name for it, so that one can be found from the other.
      if (live.spanContext().traceId !== known.traceId) live.setAttribute('claude.trace_id', known.traceId);
      const { code, message = '' } = this.#dialect.status(known);
      live.setStatus(code === 'error' ? { code: 2, message } : { code: 1 });
    }
    place.within(() => this.#report(known, live));
    live.end(known.endedAt === undefined ? undefined : msFromUnixNano(known.endedAt) / 1000);
  }
}

function contextOf(span: Sentry.Span): TraceContext {
  const { traceId, spanId } = span.spanContext();
  return { traceId: traceId as TraceId, spanId: spanId as SpanId, sampled: places.isSampled(span) };
}

/** The root of the transaction that a piece goes with. */
function transactionOf(piece: Piece): Piece {
  const above = piece.place.piece;
  return above === undefined || above.isDelivered ? piece : transactionOf(above);
}

function isBelowOpen({ place }: Piece, root: Piece): boolean {
  if (place.piece === undefined || place.piece === root) return false;
  return !place.piece.isEnded || isBelowOpen(place.piece, root);
}
