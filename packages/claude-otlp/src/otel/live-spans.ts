import { context, isSpanContextValid, ROOT_CONTEXT, trace, TraceFlags } from '@opentelemetry/api';
import type { Context, Span as OtelSpan, Tracer } from '@opentelemetry/api';
import type { CapturedSpan, SinkStats, SpanId, TraceContext } from '@spanprism/core';
import type { Dialect } from '../dialect.ts';
import { finishSpan, startSpan, traceContextOf } from './live-span.ts';
import { remoteContext, SpanTree } from './span-tree.ts';
import type { LiveNode } from './span-tree.ts';

type Live = NonNullable<LiveNode['live']>;

export interface LiveSpansOptions {
  readonly tracer: () => Tracer;
  readonly dialect: Dialect;
}

/** Our spans as OpenTelemetry spans, each begun as late as its children and the code inside it allow. */
export class LiveSpans {
  readonly #options: LiveSpansOptions;
  readonly #tree: SpanTree = new SpanTree();
  readonly #dropped = new Map<string, number>();
  #delivered = 0;

  constructor(options: LiveSpansOptions) {
    this.#options = options;
  }

  // The start of an OpenTelemetry span is final, and the exact one is often known only later: a span begins in earnest when
  // something needs it, at the latest with its end. A root is needed at once, as its trace id is everyone's.
  start(span: CapturedSpan): TraceContext | undefined {
    const node = this.#tree.node(span);
    const isRoot = span.parentSpanId === undefined || span.parentIsRemote === true;
    return isRoot ? traceContextOf(this.#begin(node, span).span.spanContext()) : undefined;
  }

  end(span: CapturedSpan): void {
    const node = this.#tree.node(span);
    const live = this.#begin(node, span);
    node.isEnded = true;
    this.#count(live.span);
    finishSpan(live, span, { dialect: this.#options.dialect, contextOf: (spanId) => this.#tree.contextOf(spanId) });
  }

  endTurn(rootSpanId: SpanId): void {
    this.#tree.endTurn(rootSpanId);
  }

  ambient(): TraceContext | undefined {
    const active = context.active();
    const spanContext = trace.getSpanContext(active);
    const known = spanContext === undefined ? undefined : traceContextOf(spanContext);
    if (known !== undefined) this.#tree.remember(known.spanId, active);
    return known;
  }

  activate<T>(spanId: SpanId, run: () => T): T {
    const node = this.#tree.find(spanId);
    if (node === undefined) return run();
    const { span } = this.#begin(node, node.started);
    return context.with(trace.setSpan(context.active(), span), run);
  }

  /** Whatever core has not ended by now will not be ended any more. */
  abandon(): void {
    for (const { live } of this.#tree.open) {
      live?.span.end();
      this.#drop('unended');
    }
    this.#tree.clear();
  }

  stats(): SinkStats {
    return { delivered: this.#delivered, queued: 0, dropped: Object.fromEntries(this.#dropped) };
  }

  /** `known` is the span as far as it is known now: its start counts if nothing has needed it before. */
  #begin(node: LiveNode, known: CapturedSpan): Live {
    if (node.live !== undefined) return node.live;
    const parent = this.#parentContext(known);
    const span = startSpan(this.#options.tracer(), known, { dialect: this.#options.dialect, parent });
    node.live = { span, context: trace.setSpan(parent, span), startedAt: known.startedAt };
    return node.live;
  }

  #parentContext(span: CapturedSpan): Context {
    const { parentSpanId } = span;
    // The dialect may want a call for a parent that is still to come; the model's own parent always started before.
    for (const candidate of [this.#options.dialect.parentSpanId(span), parentSpanId]) {
      const found = candidate === undefined ? undefined : this.#contextOf(candidate);
      if (found !== undefined) return found;
    }
    // Not what is active here and now: core has asked for that where it counts. And an id that we minted ourselves is none of theirs.
    const isTheirs = parentSpanId !== undefined && span.parentIsRemote === true;
    return isTheirs ? remoteContext(span.traceId, parentSpanId, span.traceIsSampled !== false) : ROOT_CONTEXT;
  }

  #contextOf(spanId: SpanId): Context | undefined {
    const node = this.#tree.find(spanId);
    return node === undefined ? this.#tree.contextOf(spanId) : this.#begin(node, node.started).context;
  }

  #count(span: OtelSpan): void {
    const spanContext = span.spanContext();
    const isSampled = (spanContext.traceFlags & TraceFlags.SAMPLED) !== 0;
    if (isSampled && span.isRecording()) this.#delivered += 1;
    // Without a provider the API hands out spans that record nothing, with the parent's context or none.
    else this.#drop(isSampled || !isSpanContextValid(spanContext) ? 'no_tracer_provider' : 'sampled_out');
  }

  #drop(reason: string): void {
    this.#dropped.set(reason, (this.#dropped.get(reason) ?? 0) + 1);
  }
}
