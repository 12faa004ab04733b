import type { SpanId } from '../model/ids.ts';
import type { CapturedSpan } from '../model/sink.ts';
import type { UnixNano } from '../model/time.ts';

/** A span of the host's tracer, and the place that its children are begun in. */
export interface Begun<S, P> {
  readonly span: S;
  readonly place: P;
  /** What it was told of its start, which is final. */
  readonly startedAt: UnixNano;
}

/** A span of ours from its start until its turn is over. */
export interface LiveNode<S, P> {
  readonly started: CapturedSpan;
  /** The turn or segment it belongs to, by that one's root. */
  root: SpanId;
  /** There once something needed it. */
  live?: Begun<S, P>;
  isEnded: boolean;
}

/** Spans of the host, and calls whose work goes on: children may still come for them. Beyond it the oldest goes. */
const MOST_REMEMBERED = 1024;

/** Finds the spans of a host's tracer and their places by our span ids, as such tracers mint ids of their own. */
export class SpanTree<S, P> {
  readonly #nodes = new Map<SpanId, LiveNode<S, P>>();
  readonly #turns = new Map<SpanId, Set<SpanId>>();
  readonly #remembered = new Map<SpanId, P>();

  /** The node of a span, which is new if it never started. */
  node(span: CapturedSpan): LiveNode<S, P> {
    const known = this.#nodes.get(span.spanId);
    if (known !== undefined) return known;
    const parent = span.parentSpanId === undefined ? undefined : this.#nodes.get(span.parentSpanId);
    // A turn is over on its own, also within a step of the user's.
    const root = isTurn(span) ? span.spanId : (parent?.root ?? span.spanId);
    const node: LiveNode<S, P> = { started: span, root, isEnded: false };
    this.#nodes.set(span.spanId, node);
    this.#join(node.root, span.spanId);
    return node;
  }

  find(spanId: SpanId): LiveNode<S, P> | undefined {
    return this.#nodes.get(spanId);
  }

  get open(): readonly LiveNode<S, P>[] {
    return [...this.#nodes.values()].filter((node) => !node.isEnded);
  }

  placeOf(spanId: SpanId): P | undefined {
    return this.#nodes.get(spanId)?.live?.place ?? this.#remembered.get(spanId);
  }

  /** A span of the host's, with everything that its place carries. */
  remember(spanId: SpanId, place: P): void {
    this.#remembered.delete(spanId);
    this.#remembered.set(spanId, place);
    for (const oldest of this.#remembered.keys()) {
      if (this.#remembered.size <= MOST_REMEMBERED) break;
      this.#remembered.delete(oldest);
    }
  }

  /** A turn or segment is over. A subagent that is still open goes on as a segment, a turn of its own. */
  endTurn(root: SpanId): void {
    const members = [...(this.#turns.get(root) ?? [])];
    this.#turns.delete(root);
    // Parents started before their children, so a node's parent has been dealt with when it is its turn.
    for (const spanId of members) {
      const node = this.#nodes.get(spanId);
      if (node === undefined) continue;
      if (node.isEnded) this.#letGo(spanId, node);
      else this.#reroot(spanId, node);
    }
  }

  clear(): void {
    this.#nodes.clear();
    this.#turns.clear();
  }

  #letGo(spanId: SpanId, node: LiveNode<S, P>): void {
    this.#nodes.delete(spanId);
    // The work of a background call outlives its turn, a resumed one may be heard of again, and a query may outlive its step.
    if (isHandOver(node.started) && node.live !== undefined) this.remember(spanId, node.live.place);
  }

  #reroot(spanId: SpanId, node: LiveNode<S, P>): void {
    const { parentSpanId } = node.started;
    const parent = parentSpanId === undefined ? undefined : this.#nodes.get(parentSpanId);
    node.root = parent?.root ?? spanId;
    this.#join(node.root, spanId);
  }

  #join(root: SpanId, spanId: SpanId): void {
    const members = this.#turns.get(root);
    if (members === undefined) this.#turns.set(root, new Set([spanId]));
    else members.add(spanId);
  }
}

function isTurn(span: CapturedSpan): boolean {
  return span.kind === 'agent' && span.role === 'main';
}

const SPAWNING_TOOLS: ReadonlySet<string> = new Set(['Agent', 'Task']);

function isHandOver(span: CapturedSpan): boolean {
  if (span.kind === 'custom') return true;
  return span.kind === 'tool' && (span.inBackground || SPAWNING_TOOLS.has(span.toolName));
}
