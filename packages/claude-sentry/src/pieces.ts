import * as Sentry from '@sentry/node';
import type { CapturedSpan, SpanId, UnixNano } from '@spanprism/core';
import type { Dialect } from '@spanprism/core/dialect';
import type { FailureReports } from './failure-reports.ts';
import {
  isSampled,
  isStreaming,
  type Place,
  type SpanOptions,
  startAfter,
  startBelow,
  startTrace,
  withScopesOf,
} from './places.ts';

/** A span of ours on its way to be one of Sentry's. */
export interface Piece {
  readonly place: Place;
  /** As far as it is known. */
  known: CapturedSpan;
  /** There once something needed it, with what was known of it then. */
  live?: Sentry.Span;
  begunAs?: CapturedSpan;
  isEnded: boolean;
  isDelivered: boolean;
  /** With transactions: what has ended below it and goes with it. */
  readonly waiting: Piece[];
}

/** Finds Sentry's span for one of ours, for links. */
export type FindLive = (spanId: SpanId) => Sentry.Span | undefined;

/** What Sentry keeps of one transaction; it drops the latest. */
const MAX_CHILDREN = 1000;

/**
 * With streaming each span is sent as it ends. A transaction is sent with its root, and what ends later is none of it: so there spans
 * wait until the turn is over and go all at once, and what is still open then (a subagent in the background) becomes the root of
 * a transaction of its own in the same trace, with everything below it.
 */
export class Pieces {
  readonly #dialect: Dialect;
  readonly #failures: FailureReports;
  readonly #open: Set<Piece> = new Set();
  readonly #overflowOf: WeakMap<Sentry.Span, number> = new WeakMap();
  /** Spans that Sentry drops, beyond what it keeps of a transaction. */
  overflow = 0;

  constructor(dialect: Dialect, failures: FailureReports) {
    this.#dialect = dialect;
    this.#failures = failures;
  }

  begin(span: CapturedSpan, place: Place): Piece {
    const piece: Piece = { place, known: span, isEnded: false, isDelivered: false, waiting: [] };
    this.#open.add(piece);
    return piece;
  }

  /** Sentry's own span, begun now at the latest: its start and its place are final from here on. */
  liveOf(piece: Piece): Sentry.Span {
    const { place, known } = piece;
    piece.begunAs ??= known;
    piece.live ??= withScopesOf(place, () => this.#start(place, this.#spanOptions(known)));
    return piece.live;
  }

  /** Whether its trace was chosen, which the root knows. */
  isSampled(piece: Piece): boolean {
    let known = piece;
    while (known.live === undefined && known.place.kind === 'piece') known = known.place.piece;
    return isSampled(this.liveOf(known));
  }

  finish(piece: Piece, span: CapturedSpan, find: FindLive): void {
    piece.known = span;
    piece.isEnded = true;
    this.#open.delete(piece);
    const root = isStreaming() ? piece : transactionOf(piece);
    if (root === piece) this.#settle(piece, find);
    else root.waiting.push(piece);
  }

  /** Nothing more is heard of what is open: it goes as far as it is known, children first. */
  abandon(): void {
    const open = [...this.#open].reverse();
    for (const piece of open) piece.isEnded = true;
    for (const piece of open) this.finish(piece, piece.known, () => undefined);
  }

  #start(place: Place, options: SpanOptions): Sentry.Span {
    if (place.kind === 'trace') return startTrace(place.traceId, options);
    if (place.kind === 'remote') return startAfter(place.sentryTrace, options);
    return startBelow(place.kind === 'host' ? place.span : this.liveOf(place.piece), options);
  }

  #settle(root: Piece, find: FindLive): void {
    const waiting = root.waiting.splice(0);
    const ready = waiting.filter((piece) => !isBelowOpen(piece, root));
    // All of them first, so that links find each other.
    for (const piece of [root, ...ready]) this.liveOf(piece);
    if (ready.length > 0) this.#countOverflow(this.liveOf(root));
    for (const piece of [...ready, root]) this.#deliver(piece, find);
    for (const piece of waiting) if (!piece.isDelivered) transactionOf(piece).waiting.push(piece);
  }

  #deliver(piece: Piece, find: FindLive): void {
    const { known, place } = piece;
    const live = this.liveOf(piece);
    piece.isDelivered = true;
    if (live.isRecording()) this.#complete(piece, live, find);
    withScopesOf(place, () => this.#failures.report(known, live));
    live.end(known.endedAt === undefined ? undefined : hrTime(later(known.endedAt, piece.begunAs?.startedAt ?? 0n)));
  }

  /** What the end knows and the start did not. */
  #complete({ known, begunAs }: Piece, live: Sentry.Span, find: FindLive): void {
    const dialect = this.#dialect;
    const name = dialect.spanName(known);
    if (begunAs !== undefined && name !== dialect.spanName(begunAs)) live.updateName(name);
    if (begunAs !== known) live.setAttributes(this.#attributes(known));
    // Another live sink opened the trace: its name for it, so that one can be found from the other.
    if (live.spanContext().traceId !== known.traceId) live.setAttribute('claude.trace_id', known.traceId);
    const { code, message = '' } = dialect.status(known);
    live.setStatus(code === 'error' ? { code: 2, message } : { code: 1 });
    for (const { spanId, attributes } of dialect.links(known)) {
      const target = find(spanId);
      if (target !== undefined) live.addLink({ context: target.spanContext(), attributes: { ...attributes } as Links });
    }
  }

  #countOverflow(live: Sentry.Span): void {
    const root = Sentry.getRootSpan(live);
    const tooMany = Math.max(0, Sentry.getSpanDescendants(root).length - 1 - MAX_CHILDREN);
    this.overflow += tooMany - (this.#overflowOf.get(root) ?? 0);
    this.#overflowOf.set(root, tooMany);
  }

  #spanOptions(span: CapturedSpan): SpanOptions {
    return {
      name: this.#dialect.spanName(span),
      startTime: hrTime(span.startedAt),
      attributes: this.#attributes(span),
    };
  }

  /** Sentry's types want arrays that may change, and never changes them. */
  #attributes(span: CapturedSpan): NonNullable<SpanOptions['attributes']> {
    return this.#dialect.attributes(span) as NonNullable<SpanOptions['attributes']>;
  }
}

type Links = Exclude<Parameters<Sentry.Span['addLink']>[0]['attributes'], undefined>;

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

function later(left: UnixNano, right: UnixNano): UnixNano {
  return left < right ? right : left;
}

const NANOS = 1_000_000_000n;

function hrTime(time: UnixNano): [seconds: number, nanos: number] {
  return [Number(time / NANOS), Number(time % NANOS)];
}
