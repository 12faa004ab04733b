import type { SpanId } from '../model/ids.ts';
import { oneLine } from '../model/one-line.ts';
import type { CapturedSpan } from '../model/sink.ts';
import type { AgentSpan, SpanEvent } from '../model/span.ts';
import { failureOf, nameOf, preview, wordsOf } from '../model/span-words.ts';
import { msBetween } from '../model/time.ts';
import { addUsage, type Totals, type Usage } from '../model/usage.ts';
import { callFigures, joined, markOf, NAME_STYLES } from './describe-span.ts';
import { bytes, duration, totalsText } from './figures.ts';
import { formatLine, type Screen, type Segment } from './terminal.ts';

/** What is counted of an agent until it ends, its subagents included. */
interface Tally {
  usage: Usage;
  costUsd: number | undefined;
  readonly tools: Map<string, number>;
}

/** What the lines of a span and of what lies below it need to know. */
interface Place {
  readonly depth: number;
  /** The turn or segment, as `turnEnd` names it. */
  readonly root: SpanId;
  readonly tally?: Tally;
  /** Whose doing it is, where it is a subagent's. */
  readonly subagent?: string;
}

/** A turn that never ends does not fill the memory: the oldest places go first. */
const MAX_PLACES = 10_000;

/** Turns starts and ends of spans into lines. */
export class ConsoleView {
  readonly #write: (line: string) => void;
  readonly #screen: () => Screen;
  readonly #places: Map<SpanId, Place> = new Map();

  constructor(write: (line: string) => void, screen: () => Screen) {
    this.#write = write;
    this.#screen = screen;
  }

  started(span: CapturedSpan): void {
    switch (span.kind) {
      case 'agent':
        this.#enter(span, ['accent', '▶ '], padded(wordsOf(span.input) || sizeOf(span.contentBytes.input)));
        return;
      case 'tool':
        this.#enter(span, ['dim', '→ '], padded(preview(span.input)));
        return;
      case 'custom':
        this.#enter(span, ['accent', '▶ '], '');
        return;
      case 'llm':
      case 'permission':
      case 'hook':
        // These are told when they are over: one line each.
        return;
    }
  }

  ended(span: CapturedSpan): void {
    const place = this.#places.get(span.spanId) ?? this.#placeOf(span);
    for (const event of span.events) this.#line(place, ['warning', '! '], ['plain', eventText(event)]);
    this.#count(span, place);
    if (span.kind === 'custom') this.#places.delete(span.spanId);
    if (span.kind === 'hook' && !span.blocked) return;
    const took = span.endedAt === undefined ? '' : duration(msBetween(span.startedAt, span.endedAt));
    const facts = factsOf(span, place);
    this.#line(
      place,
      span.kind === 'permission' ? ['warning', '? '] : markOf(span),
      [NAME_STYLES[span.kind], nameOf(span)],
      ['plain', span.kind === 'agent' ? ` ${span.outcome}` : ''],
      ['dim', padded(took)],
      ['plain', padded(facts)],
      ['bad', padded(failureOf(span))],
    );
  }

  /** Places live till then: a tool call that launched a subagent ends before it. */
  turnEnded(rootSpanId: SpanId): void {
    for (const [spanId, { root }] of this.#places) if (root === rootSpanId) this.#places.delete(spanId);
  }

  #enter(span: CapturedSpan, sign: Segment, words: string): void {
    const place = this.#placeOf(span);
    this.#places.set(span.spanId, place);
    const [oldest] = this.#places.keys();
    if (this.#places.size > MAX_PLACES && oldest !== undefined) this.#places.delete(oldest);
    this.#line(place, sign, [NAME_STYLES[span.kind], nameOf(span)], ['dim', words]);
  }

  #placeOf(span: CapturedSpan): Place {
    const parent = span.parentSpanId === undefined ? undefined : this.#places.get(span.parentSpanId);
    const isRoot = parent === undefined || (span.kind === 'agent' && (span.role === 'main' || span.isSegment === true));
    const own = { depth: parent === undefined ? 0 : parent.depth + 1, root: isRoot ? span.spanId : parent.root };
    if (span.kind !== 'agent') return { ...parent, ...own };
    const tally: Tally = { usage: {}, costUsd: undefined, tools: new Map() };
    return span.role === 'subagent' ? { ...own, tally, subagent: nameOf(span) } : { ...own, tally };
  }

  #count(span: CapturedSpan, { tally }: Place): void {
    if (tally === undefined) return;
    if (span.kind === 'tool') tally.tools.set(nameOf(span), (tally.tools.get(nameOf(span)) ?? 0) + 1);
    if (span.kind === 'llm') add(tally, span.usage, span.costUsd);
    const above = span.parentSpanId === undefined ? undefined : this.#places.get(span.parentSpanId)?.tally;
    if (span.kind === 'agent' && above !== undefined) add(above, tally.usage, tally.costUsd);
  }

  #line({ depth, subagent }: Place, ...segments: readonly Segment[]): void {
    // Lines of parallel subagents alternate, so each says whose it is.
    const whose = subagent === undefined ? '' : `[${subagent}] `;
    this.#write(formatLine([['plain', '  '.repeat(depth)], ['dim', whose], ...segments], this.#screen()));
  }
}

function add(tally: Tally, usage: Usage | undefined, costUsd: number | undefined): void {
  tally.usage = addUsage(tally.usage, usage ?? {});
  if (costUsd !== undefined) tally.costUsd = (tally.costUsd ?? 0) + costUsd;
}

function factsOf(span: CapturedSpan, { tally }: Place): string {
  switch (span.kind) {
    case 'agent':
      return agentFacts(span, tally);
    case 'llm':
      return callFigures(span);
    case 'tool': {
      const { output } = span.contentBytes;
      return joined(span.inBackground ? 'in background' : '', output === undefined ? '' : bytes(output));
    }
    case 'permission':
      return `${span.decision} by ${span.decidedBy}`;
    case 'hook':
      return 'blocked';
    case 'custom':
      return '';
  }
}

/** A turn's totals are exact where the SDK told them; else, and for subagents, they are what their calls add up to. */
function agentFacts(span: AgentSpan, tally: Tally | undefined): string {
  const counted: Totals | undefined = tally && {
    usage: tally.usage,
    ...(tally.costUsd === undefined ? {} : { costUsd: tally.costUsd }),
  };
  const tools = [...(tally?.tools ?? [])].map(([name, times]) => (times === 1 ? name : `${name} ×${times}`));
  return joined(
    totalsText(span.totals ?? counted),
    span.unattributed && `unattributed ${totalsText(span.unattributed)}`,
    tools.length === 0 ? '' : `tools: ${tools.join(', ')}`,
  );
}

/** What tells most of an event, in the order of telling. */
const TELLING = ['status_code', 'error', 'trigger', 'category', 'fallback_model'] as const;

function eventText({ name, attributes, content = '' }: SpanEvent): string {
  const facts = TELLING.flatMap((key) => attributes[key] ?? []).map(String);
  return oneLine([name, ...facts, content].join(' '));
}

function padded(text: string): string {
  return text === '' ? '' : ` ${text}`;
}

/** Of content that was not captured, how much there was. */
function sizeOf(size = 0): string {
  return size === 0 ? '' : `(${bytes(size)})`;
}
