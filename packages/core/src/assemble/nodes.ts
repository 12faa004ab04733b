import type { SpanId, TraceContext, TraceId } from '../model/ids.ts';
import type { ContentBlock, Json, Message } from '../model/message.ts';
import type {
  CallMeasured,
  CallPassed,
  HookSeen,
  PermissionSeen,
  SessionSeen,
  ToolMeasured,
  TurnResult,
} from '../model/observation.ts';
import type { Decider, Issue, Outcome, SpanError, SpanEvent } from '../model/span.ts';
import type { UnixNano } from '../model/time.ts';
import type { Totals, Usage } from '../model/usage.ts';
import { closed, NONE, type Open, opened } from './lists.ts';
import { NOBODY, type Sources } from './sources.ts';

/** What all unfinished spans have: an id, who saw them, and whether sinks have heard of them. */
interface NodeBase {
  readonly spanId: SpanId;
  seenBy: Sources;
  events: SpanEvent[];
  issues: Issue[];
  isStarted: boolean;
  isEnded: boolean;
  /** Milliseconds of the clock after which nothing more is waited for. */
  deadline: number | undefined;
}

export type Parent = AgentNode | ToolNode;

interface ParentBase extends NodeBase {
  /** What the CLI calls it. */
  cliSpanIds: string[];
}

/** A turn of the main loop, or a subagent. */
export interface AgentNode extends ParentBase {
  readonly kind: 'agent';
  /** 0-based within the query; undefined for subagents. */
  readonly turn: number | undefined;
  agentName: string;
  /** The stream has told its name. */
  isNamed: boolean;
  agentId: string | undefined;
  /** The `Agent` call that asked for it. */
  spawnedBy: ToolNode | undefined;
  /** The turn that it is shown under because nobody said which call asked for it. */
  foundUnder: AgentNode | undefined;
  traceId: TraceId | undefined;
  /** The ids that a live sink gave it. */
  sinkContext: TraceContext | undefined;
  /** Of main turns: the context outside of this query, if any. */
  parentContext: TraceContext | undefined;
  trigger: 'prompt' | 'command' | 'task_notification' | undefined;
  userMessageId: string | undefined;
  session: SessionSeen | undefined;
  /** Started according to the SDK and according to the CLI. */
  sdkStartedAt: UnixNano | undefined;
  cliStartedAt: UnixNano | undefined;
  sdkEndedAt: UnixNano | undefined;
  cliEndedAt: UnixNano | undefined;
  /** Of main turns: the CLI has told what started it. */
  isPromptLogged: boolean;
  result: TurnResult | undefined;
  outcome: Outcome | undefined;
  /** What the query threw while the turn was open. */
  thrown: SpanError | undefined;
  /** What its latest call leaves it with, undefined where more is to come, and when that call ended. */
  lastOutcome: Outcome | undefined;
  lastCallEndedAt: UnixNano | undefined;
  firstRequestId: string | undefined;
  input: Message[];
  /** Messages that the next call will carry. */
  nextInput: Message[];
  /** Retries seen before the call that they belong to is known. */
  pendingRetries: SpanEvent[];
  requestedAt: UnixNano | undefined;
  lastInputAt: UnixNano | undefined;
  /** When the first of what it did began, as far as it has ended. */
  firstChildAt: UnixNano | undefined;
  currentCall: CallNode | undefined;
  /** How many calls without a request id the stream has shown. */
  unnamedCalls: number;
  /** Of its latest answer that has words. */
  lastOutput: readonly ContentBlock[] | undefined;
  inBackground: boolean;
  /** Hooks that ran before its place in a trace was known. */
  pendingHooks: HookSeen[];
  openCalls: Open<CallNode>;
  openTools: Open<ToolNode>;
  openAgents: Open<AgentNode>;
  llmCalls: number;
  toolCalls: number;
  denials: number;
  wasInterrupted: boolean;
  isSegment: boolean;
  totals: Totals | undefined;
  unattributed: Totals | undefined;
}

/** What is found by the names of a call, as long as it is open and after. */
export interface CallSlot {
  call: CallNode | undefined;
  readonly spanId: SpanId;
  /** Of the map that it stands in, when it was put there. */
  readonly age: number;
}

/** What is found by the id of a tool call. The call itself is gone when nobody can speak of it any more. */
export interface ToolSlot {
  tool: ToolNode | undefined;
  askedBy: string | undefined;
  /** Id of the observation that told of the output. */
  resultId: string | undefined;
  readonly age: number;
}

/** One Messages API call. */
export interface CallNode extends NodeBase {
  readonly kind: 'llm';
  readonly slot: CallSlot;
  parent: Parent | undefined;
  requestId: string | undefined;
  messageId: string | undefined;
  /** In place of ids, for a request that never got any. */
  unnamed: string | undefined;
  sdkModel: string | undefined;
  /** Ids of the observations that told of blocks; of the landmarks of its stream, one bit each. */
  sights: string[];
  landmarks: number;
  blocks: readonly ContentBlock[];
  input: Message[];
  retries: SpanEvent[];
  /** Final figures, and those of the stream's first event. */
  streamUsage: Usage | undefined;
  streamStartUsage: Usage | undefined;
  streamStopReason: string | undefined;
  sdkStartedAt: UnixNano | undefined;
  sdkFirstTokenAt: UnixNano | undefined;
  sdkEndedAt: UnixNano | undefined;
  sdkError: SpanError | undefined;
  wasCut: boolean;
  /** Nothing more of it will come from the stream, or from the CLI. */
  isSdkDone: boolean;
  isUnmeasured: boolean;
  cliSpan: CallMeasured | undefined;
  cliLog: CallMeasured | undefined;
  cliText: string | undefined;
  /** As it was on the wire. */
  passed: CallPassed | undefined;
  /** Its figures are final and in the ledger. */
  isCounted: boolean;
}

/** One tool call. */
export interface ToolNode extends ParentBase {
  readonly kind: 'tool';
  readonly slot: ToolSlot;
  readonly toolCallId: string;
  parent: AgentNode | undefined;
  call: CallNode | undefined;
  /** The CLI's own span of it, kept when what that told is forgotten. */
  cliToolSpanId: string | undefined;
  /** Kept when the call itself has ended and is forgotten. */
  askedBy: string | undefined;
  requestedByLlmSpanId: SpanId | undefined;
  toolName: string | undefined;
  input: Json | undefined;
  hasInput: boolean;
  sdkStartedAt: UnixNano | undefined;
  sdkEndedAt: UnixNano | undefined;
  /** As its span says. */
  endedAt: UnixNano | undefined;
  output: Json | undefined;
  hasOutput: boolean;
  isError: boolean;
  errorType: string | undefined;
  inBackground: boolean;
  denied: { readonly decidedBy: Decider } | undefined;
  permissions: PermissionSeen[];
  cliSpan: ToolMeasured | undefined;
  cliExecution: ToolMeasured | undefined;
  cliLog: ToolMeasured | undefined;
  hook: ToolMeasured | undefined;
  openAgents: Open<AgentNode>;
  /** llm calls that the tool makes itself, as WebFetch does. */
  openCalls: Open<CallNode>;
}

export type Node = AgentNode | CallNode | ToolNode;

// Every field from the start: nodes are made for each call and tool, and objects that grow are slow.

export function agentNode(spanId: SpanId, agentName: string, turn?: number): AgentNode {
  return {
    kind: 'agent',
    spanId,
    seenBy: NOBODY,
    events: NONE,
    issues: NONE,
    isStarted: false,
    isEnded: false,
    deadline: undefined,
    cliSpanIds: NONE,
    turn,
    agentName,
    isNamed: false,
    agentId: undefined,
    spawnedBy: undefined,
    foundUnder: undefined,
    traceId: undefined,
    sinkContext: undefined,
    parentContext: undefined,
    trigger: undefined,
    userMessageId: undefined,
    session: undefined,
    sdkStartedAt: undefined,
    cliStartedAt: undefined,
    sdkEndedAt: undefined,
    cliEndedAt: undefined,
    isPromptLogged: false,
    result: undefined,
    outcome: undefined,
    thrown: undefined,
    lastOutcome: undefined,
    lastCallEndedAt: undefined,
    firstRequestId: undefined,
    input: NONE,
    nextInput: NONE,
    pendingRetries: NONE,
    requestedAt: undefined,
    lastInputAt: undefined,
    firstChildAt: undefined,
    currentCall: undefined,
    lastOutput: undefined,
    inBackground: false,
    pendingHooks: NONE,
    openCalls: NONE,
    openTools: NONE,
    openAgents: NONE,
    unnamedCalls: 0,
    llmCalls: 0,
    toolCalls: 0,
    denials: 0,
    wasInterrupted: false,
    isSegment: false,
    totals: undefined,
    unattributed: undefined,
  };
}

export function callNode(spanId: SpanId, age: number): CallNode {
  const slot: CallSlot = { call: undefined, spanId, age };
  const node: CallNode = {
    kind: 'llm',
    slot,
    spanId,
    seenBy: NOBODY,
    events: NONE,
    issues: NONE,
    isStarted: false,
    isEnded: false,
    deadline: undefined,
    parent: undefined,
    requestId: undefined,
    messageId: undefined,
    unnamed: undefined,
    sdkModel: undefined,
    sights: NONE,
    landmarks: 0,
    blocks: NONE,
    input: NONE,
    retries: NONE,
    streamUsage: undefined,
    streamStartUsage: undefined,
    streamStopReason: undefined,
    sdkStartedAt: undefined,
    sdkFirstTokenAt: undefined,
    sdkEndedAt: undefined,
    sdkError: undefined,
    wasCut: false,
    isSdkDone: false,
    isUnmeasured: false,
    cliSpan: undefined,
    cliLog: undefined,
    cliText: undefined,
    passed: undefined,
    isCounted: false,
  };
  slot.call = node;
  return node;
}

export function toolNode(spanId: SpanId, toolCallId: string, age: number): ToolNode {
  const slot: ToolSlot = { tool: undefined, askedBy: undefined, resultId: undefined, age };
  const node: ToolNode = {
    kind: 'tool',
    slot,
    spanId,
    seenBy: NOBODY,
    events: NONE,
    issues: NONE,
    isStarted: false,
    isEnded: false,
    deadline: undefined,
    cliSpanIds: NONE,
    toolCallId,
    parent: undefined,
    call: undefined,
    cliToolSpanId: undefined,
    askedBy: undefined,
    requestedByLlmSpanId: undefined,
    toolName: undefined,
    input: undefined,
    hasInput: false,
    sdkStartedAt: undefined,
    sdkEndedAt: undefined,
    endedAt: undefined,
    output: undefined,
    hasOutput: false,
    isError: false,
    errorType: undefined,
    inBackground: false,
    denied: undefined,
    permissions: NONE,
    cliSpan: undefined,
    cliExecution: undefined,
    cliLog: undefined,
    hook: undefined,
    openAgents: NONE,
    openCalls: NONE,
  };
  slot.tool = node;
  return node;
}

/** The turn that a node belongs to, as far as its parents are known. */
export function turnOf(node: Parent | CallNode): AgentNode | undefined {
  let at: Parent | CallNode | undefined = node;
  while (at !== undefined) {
    if (at.kind === 'agent') {
      if (at.turn !== undefined) return at;
      if (at.spawnedBy === undefined) return at.foundUnder;
      at = at.spawnedBy;
    } else at = at.parent;
  }
  return undefined;
}

/** The agent whose doing it is. */
export function agentOf(node: Parent | CallNode): AgentNode | undefined {
  let at: Parent | CallNode | undefined = node;
  while (at !== undefined && at.kind !== 'agent') at = at.parent;
  return at;
}

/** Two names turned out to mean one call: `from` gives what it knows to `into` and is forgotten. */
export function mergeCalls(into: CallNode, from: CallNode): void {
  if (from.requestId !== undefined) into.requestId ??= from.requestId;
  if (from.messageId !== undefined) into.messageId ??= from.messageId;
  into.unnamed ??= from.unnamed;
  into.sights = [...from.sights, ...into.sights];
  into.landmarks |= from.landmarks;
  into.blocks = [...from.blocks, ...into.blocks];
  into.input = [...from.input, ...into.input];
  into.retries = [...from.retries, ...into.retries];
  for (const field of MERGED) if (into[field] === undefined && from[field] !== undefined) copyField(into, from, field);
  into.wasCut ||= from.wasCut;
  into.isCounted ||= from.isCounted;
  into.isSdkDone ||= from.isSdkDone;
  into.seenBy |= from.seenBy;
  if (from.issues.length > 0) into.issues = [...into.issues, ...from.issues];
  if (from.parent === undefined) return;
  from.parent.openCalls = closed(from.parent.openCalls, from);
  if (into.parent === undefined) {
    into.parent = from.parent;
    from.parent.openCalls = opened(from.parent.openCalls, into);
  }
}

const MERGED = [
  'sdkModel',
  'streamUsage',
  'streamStartUsage',
  'streamStopReason',
  'sdkStartedAt',
  'sdkFirstTokenAt',
  'sdkEndedAt',
  'sdkError',
  'cliSpan',
  'cliLog',
  'cliText',
  'passed',
] as const satisfies readonly (keyof CallNode)[];

function copyField<K extends (typeof MERGED)[number]>(into: CallNode, from: CallNode, field: K): void {
  into[field] = from[field];
}
