import type { SpanId, TraceContext } from '../model/ids.ts';
import type { CapturedSpan, SinkStats } from '../model/sink.ts';
import { SpanTree } from './span-tree.ts';
import type { Begun, LiveNode } from './span-tree.ts';

/**
 * The host's tracer as a live sink needs it. `S` is one of its spans; `P` is a place that spans are begun in: a context, a
 * scope, a parent.
 */
export interface LiveTracer<S, P> {
  /** Which span this one hangs below; the model's own parent is taken while that one has not begun. */
  parentSpanId(span: CapturedSpan): SpanId | undefined;
  /** Where a span begins that has no parent here: at the root, or below a span of another process (`parentIsRemote`). */
  rootPlace(span: CapturedSpan): P;
  begin(span: CapturedSpan, place: P): S;
  /** Where the children of a span begin that was itself begun in `place`. */
  placeBelow(span: S, place: P): P;
  /** Everything that the end knows, then the end itself. `placeOf` finds the places of other spans of ours, for links. */
  finish(begun: Begun<S, P>, span: CapturedSpan, placeOf: (spanId: SpanId) => P | undefined): void;
  /** Ends a span of which nothing more is heard. */
  abandon(span: S): void;
  /** The context that core is told of; undefined while nobody traces. */
  traceContext(span: S): TraceContext | undefined;
  /** Why a span that ends will not arrive, such as `sampled_out`; undefined when it will. */
  loss(span: S): string | undefined;
  /** Runs user code with this span active. */
  activate<T>(span: S, run: () => T): T;
  /** What is active in the host right now, and the place it stands for. */
  ambient(): { readonly context: TraceContext; readonly place: P } | undefined;
}

/** Our spans as spans of the host's tracer, each begun as late as its children and the code inside it allow. */
export class LiveSpans<S, P> {
  readonly #tracer: LiveTracer<S, P>;
  readonly #tree: SpanTree<S, P> = new SpanTree();
  readonly #dropped = new Map<string, number>();
  #delivered = 0;

  constructor(tracer: LiveTracer<S, P>) {
    this.#tracer = tracer;
  }

  // The start of such a span is final, and the exact one is often known only later: a span begins in earnest when something
  // needs it, at the latest with its end. A root is needed at once, as its trace id is everyone's.
  start(span: CapturedSpan): TraceContext | undefined {
    const node = this.#tree.node(span);
    const isRoot = span.parentSpanId === undefined || span.parentIsRemote === true;
    return isRoot ? this.#tracer.traceContext(this.#begin(node, span).span) : undefined;
  }

  end(span: CapturedSpan): void {
    const node = this.#tree.node(span);
    const begun = this.#begin(node, span);
    node.isEnded = true;
    const loss = this.#tracer.loss(begun.span);
    if (loss === undefined) this.#delivered += 1;
    else this.#drop(loss);
    this.#tracer.finish(begun, span, (spanId) => this.#tree.placeOf(spanId));
  }

  endTurn(rootSpanId: SpanId): void {
    this.#tree.endTurn(rootSpanId);
  }

  ambient(): TraceContext | undefined {
    const active = this.#tracer.ambient();
    if (active !== undefined) this.#tree.remember(active.context.spanId, active.place);
    return active?.context;
  }

  activate<T>(spanId: SpanId, run: () => T): T {
    const node = this.#tree.find(spanId);
    if (node === undefined) return run();
    return this.#tracer.activate(this.#begin(node, node.started).span, run);
  }

  /** Whatever core has not ended by now will not be ended any more. */
  abandon(): void {
    for (const { live } of this.#tree.open) {
      if (live !== undefined) this.#tracer.abandon(live.span);
      this.#drop('unended');
    }
    this.#tree.clear();
  }

  stats(): SinkStats {
    return { delivered: this.#delivered, queued: 0, dropped: Object.fromEntries(this.#dropped) };
  }

  /** `known` is the span as far as it is known now: its start counts if nothing has needed it before. */
  #begin(node: LiveNode<S, P>, known: CapturedSpan): Begun<S, P> {
    if (node.live !== undefined) return node.live;
    const place = this.#placeFor(known);
    const span = this.#tracer.begin(known, place);
    node.live = { span, place: this.#tracer.placeBelow(span, place), startedAt: known.startedAt };
    return node.live;
  }

  #placeFor(span: CapturedSpan): P {
    // The dialect may want a call for a parent that is still to come; the model's own parent always started before.
    for (const candidate of [this.#tracer.parentSpanId(span), span.parentSpanId]) {
      const found = candidate === undefined ? undefined : this.#placeOf(candidate);
      if (found !== undefined) return found;
    }
    // Not what is active here and now: core has asked for that where it counts. And an id that we minted ourselves is none of theirs.
    return this.#tracer.rootPlace(span);
  }

  #placeOf(spanId: SpanId): P | undefined {
    const node = this.#tree.find(spanId);
    return node === undefined ? this.#tree.placeOf(spanId) : this.#begin(node, node.started).place;
  }

  #drop(reason: string): void {
    this.#dropped.set(reason, (this.#dropped.get(reason) ?? 0) + 1);
  }
}
