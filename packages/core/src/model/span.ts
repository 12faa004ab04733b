import type { SpanId, SpanKey, TraceId } from './ids.ts';
import type { Json, Message, ToolDefinition } from './message.ts';
import type { UnixNano } from './time.ts';
import type { Totals, Usage } from './usage.ts';

/** Which eyes saw a span. */
export type SourceName = 'sdk' | 'partials' | 'hooks' | 'cli' | 'wire' | 'transcript';

export type AttributeValue = string | number | boolean;
export type Attributes = Readonly<Record<string, AttributeValue>>;

/** What is known to be missing, guessed, late or in conflict about a span. */
export type IssueCode =
  | 'approximate_time'
  | 'conflict'
  | 'unattributed'
  | 'no_end'
  | 'no_result'
  | 'process_gone'
  | 'parent_unknown'
  | 'stream_cut'
  | 'telemetry_silent'
  | 'telemetry_unavailable'
  | 'truncated'
  | 'redact_failed';

export interface Issue {
  readonly code: IssueCode;
  /** What happened, in one sentence without content of the run. */
  readonly message: string;
  /** The field in question and the values that disagree, where there are such. */
  readonly field?: string;
  readonly values?: Readonly<Record<string, AttributeValue>>;
}

/** Something that happened at one instant within a span; `attributes` hold names, numbers and codes, `content` the words. */
export interface SpanEvent {
  readonly name:
    | 'retry'
    | 'api_error'
    | 'compaction'
    | 'rate_limit'
    | 'model_fallback'
    | 'model_refusal'
    | 'notification'
    | 'permission_denied';
  readonly at: UnixNano;
  readonly attributes: Attributes;
  readonly content?: string;
}

/** `type` is an error code of low cardinality (`overloaded_error`, `ShellError`, `429`), `message` is content. */
export interface SpanError {
  readonly type: string;
  readonly message: string;
}

export type SpanStatus = 'ok' | 'error' | 'cancelled';

interface SpanBase {
  readonly key: SpanKey;
  readonly traceId: TraceId;
  readonly spanId: SpanId;
  readonly parentSpanId?: SpanId;
  /** True when the parent lives in another process or in the host's own tracing. */
  readonly parentIsRemote?: boolean;
  /** What whoever began the trace decided, where that was not us. Each sink decides what to make of it. */
  readonly traceIsSampled?: boolean;
  /** Known from `system/init` on. */
  readonly sessionId?: string;
  readonly startedAt: UnixNano;
  /** Absent only when the span has just started. */
  readonly endedAt?: UnixNano;
  readonly status: SpanStatus;
  readonly error?: SpanError;
  readonly events: readonly SpanEvent[];
  readonly seenBy: readonly SourceName[];
  readonly issues: readonly Issue[];
  /** The user's own: from `attributes`, `withAttributes` and `tracing.span`. */
  readonly attributes: Attributes;
}

/** How a turn or a subagent ended. */
export type Outcome =
  | 'completed'
  | 'max_turns'
  | 'max_budget'
  | 'refused'
  | 'api_error'
  | 'interrupted'
  | 'aborted'
  | 'abandoned'
  | 'permission_denied'
  | 'crashed';

/** One turn of the main loop (a prompt until the agent stops), or one subagent. */
export interface AgentSpan extends SpanBase {
  readonly kind: 'agent';
  readonly role: 'main' | 'subagent';
  readonly agentName: string;
  readonly agentId?: string;
  /** What started the turn: a prompt, a local command, or the notice that a background task ended. */
  readonly trigger?: 'prompt' | 'command' | 'task_notification';
  /** Meaningful on the end of the span. */
  readonly outcome: Outcome;
  readonly requestModel?: string;
  readonly cwd?: string;
  readonly permissionMode?: string;
  readonly cliVersion?: string;
  readonly toolNames?: readonly string[];
  readonly input?: readonly Message[];
  readonly output?: readonly Message[];
  /** `num_turns` as the SDK reports it; not the number of model calls. */
  readonly turnCount?: number;
  readonly llmCalls: number;
  readonly toolCalls: number;
  readonly permissionDenials: number;
  /** From `query()` to the session's first sign of life, milliseconds; first turn only. */
  readonly startupMs?: number;
  /** Everything that was used between the last result and this one, whatever its tree. Never to be added to what llm spans say. */
  readonly totals?: Totals;
  /** `totals` less the llm spans of the same interval; absent when nothing is left over. */
  readonly unattributed?: Totals;
  /** True for the remainder of a subagent that outlived its turn: a root of its own delivery, parent = its tool call. */
  readonly isSegment?: boolean;
}

/** One Messages API call that was answered or failed, with all its retries. */
export interface LlmSpan extends SpanBase {
  readonly kind: 'llm';
  readonly requestModel: string;
  readonly responseModel?: string;
  readonly provider: 'anthropic' | 'aws.bedrock' | 'gcp.vertex_ai' | (string & {});
  readonly requestId?: string;
  readonly messageId?: string;
  readonly agentName: string;
  readonly usage?: Usage;
  readonly costUsd?: number;
  /** Whose figure `costUsd` is; only the CLI prices calls today. */
  readonly costBasis?: 'cli';
  /** As Anthropic spells it: `end_turn`, `tool_use`, `max_tokens`, `refusal` … */
  readonly stopReason?: string;
  /** The first event of the answer. */
  readonly firstTokenAt?: UnixNano;
  /** HTTP attempts that are known of; 1 when nothing was retried. */
  readonly attempts: number;
  readonly purpose: 'turn' | 'compaction' | 'title' | 'validation' | 'other';
  /** Messages added since the same agent's previous call. */
  readonly input?: readonly Message[];
  readonly output?: readonly Message[];
  readonly systemInstructions?: readonly string[];
  readonly toolDefinitions?: readonly ToolDefinition[];
}

/** One tool call. A sibling of the llm span that asked for it. */
export interface ToolSpan extends SpanBase {
  readonly kind: 'tool';
  /** As the SDK names it: `Bash`, `mcp__server__tool`. */
  readonly toolName: string;
  readonly toolCallId: string;
  readonly mcpServer?: string;
  /** OpenTelemetry's `gen_ai.tool.type`. */
  readonly toolType: 'function' | 'extension' | 'datastore';
  readonly agentName: string;
  readonly requestedByLlmSpanId?: SpanId;
  /** When it began to run, after permission was given. */
  readonly executionStartedAt?: UnixNano;
  readonly inBackground: boolean;
  readonly denied?: { readonly decidedBy: Decider };
  readonly input?: Json;
  readonly output?: Json;
}

export type Decider = 'user' | 'host' | 'rule' | 'hook' | 'mode';

/** The wait for a decision, only when somebody was asked. */
export interface PermissionSpan extends SpanBase {
  readonly kind: 'permission';
  readonly toolCallId: string;
  readonly toolName: string;
  readonly decision: 'allow' | 'deny';
  readonly decidedBy: Decider;
}

/** One hook execution. */
export interface HookSpan extends SpanBase {
  readonly kind: 'hook';
  readonly hookEvent: string;
  readonly hookName: string;
  readonly blocked: boolean;
}

/** The user's own step around his queries. */
export interface CustomSpan extends SpanBase {
  readonly kind: 'custom';
  readonly name: string;
}

export type Span = AgentSpan | LlmSpan | ToolSpan | PermissionSpan | HookSpan | CustomSpan;
export type SpanKind = Span['kind'];
