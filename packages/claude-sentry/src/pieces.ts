import * as Sentry from '@sentry/node';
import type { CapturedSpan, SpanId, TraceContext, TraceId, UnixNano } from '@spanprism/core';
import type { Dialect } from '@spanprism/core/dialect';
import type { LiveTracer } from '@spanprism/core/live';
import type { FailureReports } from './failure-reports.ts';
import * as places from './places.ts';

type Place = places.Place;
type Attributes = NonNullable<places.SpanOptions['attributes']>;

/** A span of ours on its way to be one of Sentry's. */
export interface Piece {
  readonly place: Place;
  /** As far as it is known. */
  known: CapturedSpan;
  /** There once something needed it; its start is final from then on. */
  live?: Sentry.Span;
  startedAt?: UnixNano;
  isEnded: boolean;
  isDelivered: boolean;
  /** With transactions: what has ended below it and goes with it. */
  readonly waiting: Piece[];
}

/** What Sentry keeps of one transaction; it drops the latest. */
const MAX_CHILDREN = 1000;

/**
 * Sentry's span API as a tracer. With streaming each span is sent as it ends. A transaction is sent with its root, and what ends
 * later is none of it: so there spans wait until the turn is over and go all at once, and what is still open then (a subagent in the
 * background) becomes the root of a transaction of its own in the same trace, with everything below it.
 */
export class Pieces implements LiveTracer<Piece, Place> {
  readonly #dialect: Dialect;
  readonly #failures: FailureReports;
  readonly #overflowOf: WeakMap<Sentry.Span, number> = new WeakMap();
  readonly parentSpanId: Dialect['parentSpanId'];
  readonly rootPlace: typeof places.outerPlace = places.outerPlace;
  /** Spans that Sentry drops, beyond what it keeps of a transaction. */
  overflow = 0;

  constructor(dialect: Dialect, failures: FailureReports) {
    this.#dialect = dialect;
    this.#failures = failures;
    this.parentSpanId = dialect.parentSpanId;
  }

  begin(span: CapturedSpan, place: Place): Piece {
    return { place, known: span, isEnded: false, isDelivered: false, waiting: [] };
  }

  placeBelow(piece: Piece, { scope, isolation }: Place): Place {
    return { kind: 'piece', piece, scope, isolation };
  }

  finish({ span: piece }: { readonly span: Piece }, span: CapturedSpan): void {
    piece.known = span;
    piece.isEnded = true;
    const root = places.isStreaming() ? piece : transactionOf(piece);
    if (root === piece) this.#settle(piece);
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
    while (begun.live === undefined && begun.place.kind === 'piece') begun = begun.place.piece;
    return places.whyNotTracing() ?? (places.isSampled(this.#liveOf(begun)) ? undefined : 'sampled_out');
  }

  activate<T>(piece: Piece, run: () => T): T {
    return Sentry.withActiveSpan(this.#liveOf(piece), run);
  }

  ambient(): { readonly context: TraceContext; readonly place: Place } | undefined {
    const span = places.whyNotTracing() === undefined ? Sentry.getActiveSpan() : undefined;
    return span && { context: contextOf(span), place: places.hostPlace(span) };
  }

  #liveOf(piece: Piece): Sentry.Span {
    const { place, known } = piece;
    piece.startedAt ??= known.startedAt;
    piece.live ??= places.withScopesOf(place, () => this.#start(place, known));
    return piece.live;
  }

  #start(place: Place, span: CapturedSpan): Sentry.Span {
    const attributes = this.#dialect.attributes(span) as Attributes;
    const options = { name: this.#dialect.spanName(span), startTime: places.seconds(span.startedAt), attributes };
    if (place.kind === 'trace') return places.startTrace(place.traceId, options);
    if (place.kind === 'remote') return places.startAfter(place.sentryTrace, options);
    return places.startBelow(place.kind === 'host' ? place.span : this.#liveOf(place.piece), options);
  }

  #settle(root: Piece): void {
    const waiting = root.waiting.splice(0);
    const ready = waiting.filter((piece) => !isBelowOpen(piece, root));
    for (const piece of ready) this.#liveOf(piece);
    if (ready.length > 0) this.#countOverflow(this.#liveOf(root));
    for (const piece of [...ready, root]) this.#deliver(piece);
    for (const piece of waiting) if (!piece.isDelivered) transactionOf(piece).waiting.push(piece);
  }

  #deliver(piece: Piece): void {
    const { known, place } = piece;
    const live = this.#liveOf(piece);
    if (live.isRecording()) {
      live.updateName(this.#dialect.spanName(known));
      live.setAttributes(this.#dialect.attributes(known) as Attributes);
      // Another live sink opened the trace: its name for it, so that one can be found from the other.
      if (live.spanContext().traceId !== known.traceId) live.setAttribute('claude.trace_id', known.traceId);
      const { code, message = '' } = this.#dialect.status(known);
      live.setStatus(code === 'error' ? { code: 2, message } : { code: 1 });
    }
    piece.isDelivered = true;
    places.withScopesOf(place, () => this.#failures.report(known, live));
    const { startedAt = known.startedAt } = piece;
    const { endedAt } = known;
    if (endedAt === undefined) live.end();
    else live.end(places.seconds(endedAt < startedAt ? startedAt : endedAt));
  }

  #countOverflow(live: Sentry.Span): void {
    const root = Sentry.getRootSpan(live);
    const tooMany = Math.max(0, Sentry.getSpanDescendants(root).length - 1 - MAX_CHILDREN);
    this.overflow += tooMany - (this.#overflowOf.get(root) ?? 0);
    this.#overflowOf.set(root, tooMany);
  }
}

function contextOf(span: Sentry.Span): TraceContext {
  const { traceId, spanId } = span.spanContext();
  return { traceId: traceId as TraceId, spanId: spanId as SpanId, sampled: places.isSampled(span) };
}

/** The root of the transaction that a piece goes with. */
function transactionOf(piece: Piece): Piece {
  let root = piece;
  while (root.place.kind === 'piece' && !root.place.piece.isDelivered) root = root.place.piece;
  return root;
}

function isBelowOpen(piece: Piece, root: Piece): boolean {
  let above = piece;
  while (above !== root && above.place.kind === 'piece') {
    above = above.place.piece;
    if (!above.isEnded) return true;
  }
  return false;
}
