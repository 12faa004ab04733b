import type { TraceContext } from './ids.ts';
import type { ContentBlock, Json, Message, ToolDefinition } from './message.ts';
import type { Decider, Issue, LlmSpan, SourceName, SpanError, SpanEvent } from './span.ts';
import type { UnixNano } from './time.ts';
import type { Totals, Usage } from './usage.ts';

/** A Messages API call by its natural keys; none is known of a request that never reached the API. */
export interface CallRef {
  readonly requestId?: string;
  readonly messageId?: string;
}

/**
 * Whose doing something was. `turn` alone (0-based within the query) means the main loop; `agentId` and `toolCallId` (the
 * `Agent` call that asked) mean a subagent; `cliParentId` is the CLI's own span id of the parent, a hint for joining only.
 */
export interface AgentRef {
  readonly turn?: number;
  readonly agentId?: string;
  /** The subagent's type. */
  readonly agentName?: string;
  readonly toolCallId?: string;
  readonly cliParentId?: string;
}

interface Seen {
  /** The same for the same thing delivered twice; of two observations of one type, never the same. */
  readonly id: string;
  readonly source: SourceName;
  /** When it happened, as well as the source can tell. */
  readonly at: UnixNano;
}

export interface SessionSeen extends Seen {
  readonly type: 'session';
  /** The turn that it opens: models, modes and tools may change from turn to turn. */
  readonly turn?: number;
  readonly sessionId: string;
  readonly requestModel?: string;
  readonly cwd?: string;
  readonly permissionMode?: string;
  readonly cliVersion?: string;
  readonly toolNames?: readonly string[];
}

export interface TurnStarted extends Seen {
  readonly type: 'turn-start';
  readonly turn: number;
  readonly trigger?: 'prompt' | 'command' | 'task_notification';
  readonly prompt?: Message;
  /** uuid of the user's message, where there is one. */
  readonly userMessageId?: string;
  readonly cliSpanId?: string;
}

/** The SDK's `result`. */
export interface TurnResult extends Seen {
  readonly type: 'turn-result';
  readonly turn: number;
  readonly subtype: string;
  readonly isError: boolean;
  readonly terminalReason?: string;
  readonly stopReason?: string;
  readonly apiErrorStatus?: number;
  readonly errorMessage?: string;
  readonly turnCount?: number;
  readonly permissionDenials: number;
  /** A hook did not let the prompt through. */
  readonly wasPromptBlocked?: boolean;
  /** What was used since the previous result of this query. */
  readonly totals?: Totals;
  /** Sums since the session began, resumed ones included. */
  readonly cumulative?: Totals;
}

/** The CLI's own span of a turn. */
export interface TurnMeasured extends Seen {
  readonly type: 'turn-measured';
  readonly turn: number;
  readonly cliSpanId: string;
  readonly startedAt: UnixNano;
  /** What the process was told by `TRACEPARENT` that it stands in. */
  readonly parent?: TraceContext;
}

/** A message without tool results that the agent's next call will carry. */
export interface InputSeen extends Seen {
  readonly type: 'input';
  readonly agent: AgentRef;
  readonly message: Message;
}

/** Blocks of an answer. `usage` and `stopReason` only when they are final. */
export interface AnswerSeen extends Seen {
  readonly type: 'answer';
  readonly agent: AgentRef;
  readonly call: CallRef;
  readonly model: string;
  readonly blocks: readonly ContentBlock[];
  readonly usage?: Usage;
  readonly stopReason?: string;
  readonly wasCut?: boolean;
}

/**
 * Landmarks of a streamed answer. `abandoned`: this attempt will be tried again under another id. `usage` is final in phase
 * `delta` alone; that of `start` completes it.
 */
export interface StreamSeen extends Seen {
  readonly type: 'stream';
  readonly agent: AgentRef;
  readonly call: CallRef;
  readonly phase: 'requested' | 'start' | 'delta' | 'end' | 'abandoned';
  readonly model?: string;
  readonly ttftMs?: number;
  readonly usage?: Usage;
  readonly stopReason?: string;
}

/** A call that failed for good. */
export interface CallFailed extends Seen {
  readonly type: 'call-failed';
  readonly agent: AgentRef;
  readonly call: CallRef;
  readonly model?: string;
  readonly error: SpanError;
  /** The CLI keeps silent about the calls of a model that it gave up for another. */
  readonly isUnmeasured?: boolean;
}

/** What the CLI measured of one call: its span and its log record come apart and complete each other. */
export interface CallMeasured extends Seen {
  readonly type: 'call-measured';
  readonly part: 'span' | 'log';
  readonly agent: AgentRef;
  readonly call: CallRef;
  /** Of calls without any id (their API sends no `request-id`): the how-manieth such call of its agent and purpose, from 0. */
  readonly ordinal?: number;
  readonly model: string;
  readonly purpose: LlmSpan['purpose'];
  readonly provider?: string;
  readonly usage?: Usage;
  readonly costUsd?: number;
  readonly startedAt?: UnixNano;
  readonly endedAt?: UnixNano;
  readonly firstTokenAt?: UnixNano;
  readonly attempts?: number;
  readonly stopReason?: string;
  readonly error?: SpanError;
}

/**
 * A model call as it passed on the wire, byte for byte: its latest attempt, and how those before it failed. What it says of a call is
 * exact; whose call it was, other sources say.
 */
export interface CallPassed extends Seen {
  readonly type: 'call-passed';
  readonly agent: AgentRef;
  /** `unnamed` where the API gave no ids. */
  readonly call: CallRef & { readonly unnamed?: string };
  /** Attempts that were told of as calls and turned out to be of this one. */
  readonly replaces: readonly (CallRef & { readonly unnamed?: string })[];
  readonly model?: string;
  readonly responseModel?: string;
  readonly purpose: LlmSpan['purpose'];
  /** Of the first attempt. */
  readonly startedAt: UnixNano;
  readonly endedAt: UnixNano;
  readonly firstTokenAt?: UnixNano;
  /** Final figures. */
  readonly usage?: Usage;
  readonly stopReason?: string;
  readonly error?: SpanError;
  readonly wasCut: boolean;
  readonly retries: readonly SpanEvent[];
  /** Messages that the agent's previous call did not have. */
  readonly input: readonly Message[];
  readonly output: readonly ContentBlock[];
  /** Of an agent's first call, and again when they change. */
  readonly systemInstructions?: readonly string[];
  readonly toolDefinitions?: readonly ToolDefinition[];
  /** What of it was not readable or not kept. */
  readonly gaps: readonly Issue[];
}

/** What the CLI logged of an answer: its text, used where the stream did not show it, or both its ids. */
export interface AnswerText extends Seen {
  readonly type: 'answer-text';
  readonly call: CallRef;
  readonly text?: string;
}

/** Something that happened to an agent; a `retry` belongs to its next call. */
export interface EventSeen extends Seen {
  readonly type: 'event';
  readonly agent: AgentRef;
  readonly event: SpanEvent;
}

export interface ToolResultSeen extends Seen {
  readonly type: 'tool-result';
  readonly agent: AgentRef;
  readonly toolCallId: string;
  readonly output: Json;
  readonly isError: boolean;
  readonly errorType?: string;
  readonly denied?: { readonly decidedBy: Decider };
  /** The call only launched something that goes on. */
  readonly inBackground?: boolean;
  /** The message that brought it, which the agent's next call will carry: told with the last of its results. */
  readonly message?: Message;
}

/** What was measured of one tool call. `part`: the CLI's span of it, of its execution, its log record; the host's hooks around it. */
export interface ToolMeasured extends Seen {
  readonly type: 'tool-measured';
  readonly part: 'span' | 'execution' | 'log' | 'hook';
  readonly agent: AgentRef;
  readonly toolCallId: string;
  readonly toolName?: string;
  readonly requestId?: string;
  /** The record's own span id, and that of the call's span (the same for part `span`). */
  readonly cliSpanId?: string;
  readonly cliToolSpanId?: string;
  readonly startedAt?: UnixNano;
  readonly endedAt?: UnixNano;
  readonly error?: SpanError;
  readonly input?: Json;
  readonly output?: Json;
}

/** A host's in-process tool handler begins: the call is running, whatever the consumer has read so far. */
export interface ToolHandlerStarted extends Seen {
  readonly type: 'tool-handler';
  readonly turn: number;
  readonly toolCallId: string;
  readonly toolName: string;
}

/** What somebody decided about a tool call; `cliToolSpanId` where only the CLI's span of it is known. */
export interface PermissionSeen extends Seen {
  readonly type: 'permission';
  readonly toolCallId?: string;
  readonly cliToolSpanId?: string;
  readonly startedAt: UnixNano;
  readonly endedAt: UnixNano;
  readonly decision: 'allow' | 'deny';
  readonly decidedBy: Decider;
  /** False for rules, modes and hooks: nobody waited, so there is no span, only the decision. */
  readonly wasAsked: boolean;
}

export interface TaskStarted extends Seen {
  readonly type: 'task-start';
  readonly agentId: string;
  readonly toolCallId?: string;
  readonly agentName?: string;
  readonly inBackground?: boolean;
  readonly parentAgentId?: string;
  readonly prompt?: Message;
}

export interface TaskEnded extends Seen {
  readonly type: 'task-end';
  readonly agentId: string;
  readonly agentName?: string;
  readonly outcome: 'completed' | 'failed' | 'stopped';
}

export interface HookSeen extends Seen {
  readonly type: 'hook';
  readonly agent: AgentRef;
  readonly hookEvent: string;
  readonly hookName: string;
  readonly startedAt: UnixNano;
  readonly blocked: boolean;
}

/** The CLI's `token.usage` and `cost.usage` counters since its last export: the totals of a run that shows no result. */
export interface CountersSeen extends Seen {
  readonly type: 'counters';
  readonly totals: Totals;
}

/** How the consumer, or the process, let go of the query. */
export interface QueryEnded extends Seen {
  readonly type: 'query-end';
  /** `done`: the iterator ended. `interrupt` ends a turn only. */
  readonly by: 'done' | 'error' | 'return' | 'throw' | 'close' | 'abort' | 'interrupt' | 'process-gone';
  readonly error?: SpanError;
}

export type Observation =
  | SessionSeen
  | TurnStarted
  | TurnResult
  | TurnMeasured
  | InputSeen
  | AnswerSeen
  | StreamSeen
  | CallFailed
  | CallMeasured
  | CallPassed
  | AnswerText
  | EventSeen
  | ToolResultSeen
  | ToolMeasured
  | ToolHandlerStarted
  | PermissionSeen
  | TaskStarted
  | TaskEnded
  | HookSeen
  | CountersSeen
  | QueryEnded;
