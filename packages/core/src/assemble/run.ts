import type { IdSource, SpanId, TraceContext, TraceId } from '../model/ids.ts';
import type { Message } from '../model/message.ts';
import type { AgentRef, SessionSeen } from '../model/observation.ts';
import type { Attributes, Issue, Span } from '../model/span.ts';
import type { Clock, UnixNano } from '../model/time.ts';
import type { Totals } from '../model/usage.ts';
import { Ledger } from './ledger.ts';
import { appended, opened } from './lists.ts';
import type { AgentNode, CallNode, Parent, ToolNode } from './nodes.ts';
import { Registry } from './registry.ts';

/** Where finished spans go. */
export interface SpanOutput {
  /** False when nobody listens to starts: they are not made then. */
  readonly hearsStarts?: boolean;
  /** Returns the context that a sink with ids of its own gave the span. */
  start(span: Span): TraceContext | undefined;
  end(span: Span): void;
  turnEnd(rootSpanId: SpanId): void;
}

export interface AssemblerOptions {
  readonly output: SpanOutput;
  readonly ids: IdSource;
  readonly clock: Clock;
  /** Which sources will speak of this query. */
  readonly expects: { readonly sdk: boolean; readonly cli: boolean; readonly wire?: boolean };
  readonly agentName: string;
  readonly attributes: Attributes;
  /** The span around the query: of another process, of the host, or of `tracing.span`. */
  readonly parent?: (TraceContext & { readonly isRemote: boolean }) | undefined;
  /** Ids that the first turn must take because the child was told of them. */
  readonly firstTurn?: { readonly traceId: TraceId; readonly spanId: SpanId };
  /** How long an ended span waits for the other source. */
  readonly settleMs: number;
  /** A resumed session's totals begin where the old session ended, so its first cumulative figures say nothing. */
  readonly isResumed: boolean;
  /** What is known from the start, noted on the first turn. */
  readonly knownIssues?: readonly Issue[];
}

/** What was seen but could not be used. */
export interface RunCounters {
  late: number;
  duplicate: number;
  unplaced: number;
}

/** The state of one query: the only mutable trace state there is. */
export interface Run {
  readonly options: AssemblerOptions;
  readonly registry: Registry;
  readonly ledger: Ledger;
  readonly counters: RunCounters;
  session?: SessionSeen;
  expectsCli: boolean;
  /** Calls wait for what passed of them; until it is clear that none passes through us. */
  expectsWire: boolean;
  wasCliSeen: boolean;
  /** Whether what has waited long enough ends now. Only a sweep, which has looked for news first, ends anything for its age. */
  heedsDeadlines: boolean;
  /** A whole turn has ended without a word of it. */
  wasCliSilent: boolean;
  /** Nothing more will come from the stream, or from the process. */
  isSdkOver: boolean;
  isProcessGone: boolean;
  /** By somebody, in the middle of whatever it did. */
  wasStopped: boolean;
  wasWireSeen: boolean;
  hasCalls: boolean;
  /** Calls that have passed on the wire and that nobody else has spoken of. */
  readonly passed: Set<CallNode>;
  /** What the CLI has counted since the process began, and how much of it turns have claimed. */
  counted?: Totals;
  claimed?: Totals;
  previousCumulative?: Totals;
}

export function newRun(options: AssemblerOptions): Run {
  return {
    options,
    registry: new Registry(options),
    ledger: new Ledger(),
    counters: { late: 0, duplicate: 0, unplaced: 0 },
    expectsCli: options.expects.cli,
    expectsWire: options.expects.wire === true,
    wasCliSeen: false,
    heedsDeadlines: false,
    wasCliSilent: false,
    isSdkOver: !options.expects.sdk,
    isProcessGone: false,
    wasStopped: false,
    wasWireSeen: false,
    hasCalls: false,
    passed: new Set(),
  };
}

export function nowMs(run: Run): number {
  return Number(run.options.clock.now() / 1_000_000n);
}

/** The turn of that number, opened if it is new; undefined when it has ended. */
export function turnAt(run: Run, turn: number, name?: string): AgentNode | undefined {
  const known = run.registry.turn(turn);
  if (known !== undefined) return known;
  const node = run.registry.newTurn(turn, name);
  if (node === undefined) return undefined;
  const { parent, firstTurn, ids } = run.options;
  if (parent !== undefined) node.parentContext = parent;
  node.traceId = parent?.traceId ?? (turn === 0 ? firstTurn?.traceId : undefined) ?? ids.traceId(name);
  if (turn === 0) node.issues = [...(run.options.knownIssues ?? [])];
  return node;
}

/** Calls `use` with whose doing it was, now or when that becomes known; false, and counted, when it can never be placed. */
export function place(run: Run, ref: AgentRef, use: (parent: Parent) => void): boolean {
  const { agentId, toolCallId, turn, cliParentId } = ref;
  const isHint = agentId === undefined && toolCallId === undefined && turn === undefined;
  if (isHint && cliParentId !== undefined && run.registry.whenPlaced(cliParentId, use)) return true;
  const parent = placeNow(run, ref);
  if (parent !== undefined) use(parent);
  return parent !== undefined;
}

/** Whose doing it was, by what the reference itself says; undefined, and counted, when that is over or not said. */
export function placeNow(run: Run, ref: AgentRef): AgentNode | undefined {
  const { registry, counters } = run;
  if (ref.agentId !== undefined || ref.toolCallId !== undefined) {
    const subagent = registry.subagent(ref);
    if (subagent === undefined) {
      counters.late += 1;
      return undefined;
    }
    if (ref.agentName !== undefined && !subagent.isNamed) subagent.agentName = ref.agentName;
    linkSubagent(run, subagent, ref);
    return subagent;
  }
  if (ref.turn === undefined) {
    counters.unplaced += 1;
    return undefined;
  }
  const turn = turnAt(run, ref.turn);
  if (turn === undefined) counters.late += 1;
  return turn;
}

interface Told {
  readonly agent: AgentRef;
  readonly at: UnixNano;
}

/** The agent's next call will carry the message; what a subagent is told before its first is what it was asked. */
export function tellAgent(run: Run, { agent, at }: Told, message: Message): void {
  const node = placeNow(run, agent);
  if (node === undefined) return;
  node.nextInput = appended(node.nextInput, message);
  node.lastInputAt = at;
  if (node.turn === undefined && node.currentCall === undefined) node.input = appended(node.input, message);
}

function linkSubagent(run: Run, subagent: AgentNode, ref: AgentRef): void {
  if (subagent.spawnedBy !== undefined) return;
  if (ref.toolCallId !== undefined) {
    const tool = run.registry.tool(ref.toolCallId);
    if (tool !== undefined) adopt(subagent, tool);
    return;
  }
  if (ref.cliParentId === undefined) return;
  run.registry.whenPlaced(ref.cliParentId, (parent) => {
    if (subagent.spawnedBy === undefined && parent.kind === 'tool') adopt(subagent, parent);
  });
}

export function adopt(subagent: AgentNode, tool: ToolNode): void {
  if (subagent.spawnedBy !== undefined) return;
  subagent.spawnedBy = tool;
  if (!subagent.isEnded) tool.openAgents = opened(tool.openAgents, subagent);
}

/** Notes an issue once. */
export function addIssue(node: { issues: Issue[] }, issue: Issue): void {
  if (node.issues.some((known) => known.code === issue.code && known.field === issue.field)) return;
  node.issues = appended(node.issues, issue);
}
