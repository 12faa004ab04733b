import type { SpanId, TraceContext, TraceId } from '../model/ids.ts';
import type { ContentBlock, Json, Message } from '../model/message.ts';
import type {
  CallMeasured,
  HookSeen,
  PermissionSeen,
  SessionSeen,
  ToolMeasured,
  TurnResult,
} from '../model/observation.ts';
import type { Decider, Issue, Outcome, SourceName, SpanError, SpanEvent } from '../model/span.ts';
import type { UnixNano } from '../model/time.ts';
import type { Totals, Usage } from '../model/usage.ts';

/** What all unfinished spans have: an id, who saw them, and whether sinks have heard of them. */
interface NodeBase {
  readonly spanId: SpanId;
  readonly seenBy: Set<SourceName>;
  readonly events: SpanEvent[];
  readonly issues: Issue[];
  isStarted: boolean;
  isEnded: boolean;
  /** Milliseconds of the clock after which nothing more is waited for. */
  deadline?: number;
}

export type Parent = AgentNode | ToolNode;

interface ParentBase extends NodeBase {
  /** What the CLI calls it. */
  readonly cliSpanIds: string[];
}

/** A turn of the main loop, or a subagent. */
export interface AgentNode extends ParentBase {
  readonly kind: 'agent';
  /** 0-based within the query; undefined for subagents. */
  readonly turn: number | undefined;
  agentName: string;
  agentId?: string;
  /** The `Agent` call that asked for it. */
  spawnedBy?: ToolNode;
  /** The turn that it is shown under because nobody said which call asked for it. */
  foundUnder?: AgentNode;
  traceId?: TraceId;
  /** The ids that a live sink gave it. */
  sinkContext?: TraceContext;
  /** Of main turns: the context outside of this query, if any. */
  parentContext?: TraceContext;
  trigger?: 'prompt' | 'command' | 'task_notification';
  userMessageId?: string;
  session?: SessionSeen;
  /** Started according to the SDK and according to the CLI. */
  sdkStartedAt?: UnixNano;
  cliStartedAt?: UnixNano;
  sdkEndedAt?: UnixNano;
  cliEndedAt?: UnixNano;
  /** Of main turns: the CLI has told what started it. */
  isPromptLogged: boolean;
  result?: TurnResult;
  outcome?: Outcome;
  /** How its latest call went wrong, and when that call ended. */
  lastFailure?: Outcome | undefined;
  lastCallEndedAt?: UnixNano;
  firstRequestId?: string;
  input: Message[];
  /** Messages that the next call will carry. */
  nextInput: Message[];
  /** Retries seen before the call that they belong to is known. */
  pendingRetries: SpanEvent[];
  requestedAt?: UnixNano;
  lastInputAt?: UnixNano;
  /** When the first of what it did began, as far as it has ended. */
  firstChildAt?: UnixNano;
  currentCall?: CallNode;
  lastOutput?: readonly ContentBlock[];
  inBackground: boolean;
  /** Hooks that ran before its place in a trace was known. */
  pendingHooks: HookSeen[];
  readonly openCalls: Set<CallNode>;
  readonly openTools: Set<ToolNode>;
  readonly openAgents: Set<AgentNode>;
  llmCalls: number;
  toolCalls: number;
  denials: number;
  wasInterrupted: boolean;
  isSegment: boolean;
  totals?: Totals;
  unattributed?: Totals;
}

/** One Messages API call. */
export interface CallNode extends NodeBase {
  readonly kind: 'llm';
  parent?: Parent;
  requestId?: string;
  messageId?: string;
  /** In place of ids, for a request that never got any. */
  unnamed?: string;
  sdkModel?: string;
  blocks: ContentBlock[];
  input: Message[];
  retries: SpanEvent[];
  /** Final figures, and those of the stream's first event. */
  streamUsage?: Usage;
  streamStartUsage?: Usage;
  streamStopReason?: string;
  sdkStartedAt?: UnixNano;
  sdkFirstTokenAt?: UnixNano;
  sdkEndedAt?: UnixNano;
  sdkError?: SpanError;
  wasCut: boolean;
  /** Nothing more of it will come from the stream, or from the CLI. */
  isSdkDone: boolean;
  isUnmeasured: boolean;
  cliSpan?: CallMeasured;
  cliLog?: CallMeasured;
  cliText?: string;
  /** Its figures are final and in the ledger. */
  isCounted: boolean;
}

/** One tool call. */
export interface ToolNode extends ParentBase {
  readonly kind: 'tool';
  readonly toolCallId: string;
  parent?: AgentNode;
  call?: CallNode;
  /** The CLI's own span of it, kept when what that told is forgotten. */
  cliToolSpanId?: string;
  /** Kept when the call itself has ended and is forgotten. */
  askedBy?: string;
  requestedByLlmSpanId?: SpanId;
  toolName?: string;
  input?: Json;
  hasInput: boolean;
  sdkStartedAt?: UnixNano;
  sdkEndedAt?: UnixNano;
  /** As its span says. */
  endedAt?: UnixNano;
  output?: Json;
  hasOutput: boolean;
  isError: boolean;
  errorType?: string;
  inBackground: boolean;
  denied?: { readonly decidedBy: Decider };
  readonly permissions: PermissionSeen[];
  cliSpan?: ToolMeasured;
  cliExecution?: ToolMeasured;
  cliLog?: ToolMeasured;
  hook?: ToolMeasured;
  readonly openAgents: Set<AgentNode>;
  /** llm calls that the tool makes itself, as WebFetch does. */
  readonly openCalls: Set<CallNode>;
}

export type Node = AgentNode | CallNode | ToolNode;

function base(spanId: SpanId): NodeBase {
  return { spanId, seenBy: new Set(), events: [], issues: [], isStarted: false, isEnded: false };
}

export function agentNode(spanId: SpanId, agentName: string, turn?: number): AgentNode {
  return {
    ...base(spanId),
    kind: 'agent',
    cliSpanIds: [],
    turn,
    agentName,
    input: [],
    nextInput: [],
    pendingRetries: [],
    openCalls: new Set(),
    openTools: new Set(),
    openAgents: new Set(),
    llmCalls: 0,
    toolCalls: 0,
    denials: 0,
    wasInterrupted: false,
    isPromptLogged: false,
    isSegment: false,
    inBackground: false,
    pendingHooks: [],
  };
}

export function callNode(spanId: SpanId): CallNode {
  return {
    ...base(spanId),
    kind: 'llm',
    blocks: [],
    input: [],
    retries: [],
    wasCut: false,
    isSdkDone: false,
    isUnmeasured: false,
    isCounted: false,
  };
}

export function toolNode(spanId: SpanId, toolCallId: string): ToolNode {
  return {
    ...base(spanId),
    kind: 'tool',
    cliSpanIds: [],
    toolCallId,
    hasInput: false,
    hasOutput: false,
    isError: false,
    inBackground: false,
    permissions: [],
    openAgents: new Set(),
    openCalls: new Set(),
  };
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
  into.blocks = [...from.blocks, ...into.blocks];
  into.input = [...from.input, ...into.input];
  into.retries = [...from.retries, ...into.retries];
  for (const field of MERGED) if (into[field] === undefined && from[field] !== undefined) copyField(into, from, field);
  into.wasCut ||= from.wasCut;
  into.isCounted ||= from.isCounted;
  into.isSdkDone ||= from.isSdkDone;
  for (const source of from.seenBy) into.seenBy.add(source);
  into.issues.push(...from.issues);
  if (from.parent === undefined) return;
  from.parent.openCalls.delete(from);
  if (into.parent === undefined) {
    into.parent = from.parent;
    from.parent.openCalls.add(into);
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
] as const satisfies readonly (keyof CallNode)[];

function copyField<K extends (typeof MERGED)[number]>(into: CallNode, from: CallNode, field: K): void {
  into[field] = from[field];
}
