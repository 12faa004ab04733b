import type { CapturedSpan, SpanKind, SpanStatus, Usage } from '@spanprism/core';

/** Which runs; all of what is given must hold. */
export interface RunFilter {
  /** Still going on at this instant or later, nanoseconds since 1970. */
  readonly since?: bigint;
  /** Begun before this instant, nanoseconds since 1970. */
  readonly until?: bigint;
  /** True: a turn or a step of the user's own failed. False: none did. */
  readonly failed?: boolean;
  readonly project?: string;
  /** Some call was answered by this model. */
  readonly model?: string;
  readonly user?: string;
  readonly branch?: string;
  readonly tag?: string;
  readonly minCostUsd?: number;
  /** The newest so many. Default: all. */
  readonly limit?: number;
}

/** One Claude session, or one trace of the user's own steps that belongs to none. */
export interface StoredRun {
  /** The session's id, else the trace's. */
  readonly id: string;
  /** Nanoseconds since 1970: its first start and its last end. */
  readonly startedAt: bigint;
  readonly endedAt: bigint;
  readonly failed: boolean;
  /** How its last turn ended; absent before one did. */
  readonly outcome?: string;
  readonly agentName?: string;
  readonly project?: string;
  readonly user?: string;
  readonly branch?: string;
  readonly tags: readonly string[];
  readonly models: readonly string[];
  readonly turns: number;
  readonly spans: number;
  readonly llmCalls: number;
  /** Calls whose cost nobody told: `costNanoUsd` lacks them. */
  readonly unpricedCalls: number;
  readonly toolCalls: number;
  /** Spans of any kind with status `error`. */
  readonly errors: number;
  /** Of all calls, with what the turns' totals have beyond them. */
  readonly usage: Usage;
  /** 1e-9 USD: the calls, and what the turns' totals have beyond them. */
  readonly costNanoUsd: number;
  /** The part of `costNanoUsd` that no call accounts for. */
  readonly unattributedNanoUsd: number;
}

/** One span, from its indexed columns; the whole of it by `body()`. */
export interface StoredSpan {
  /** The run it is stored with. */
  readonly runId: string;
  readonly kind: SpanKind;
  /** Model of a call, tool of a tool call, agent of a turn or subagent, else its own name. */
  readonly name: string;
  readonly traceId: string;
  readonly spanId: string;
  /** Of a span in the same run, if there is one of that id; of another process or a host's span otherwise. */
  readonly parentSpanId?: string;
  /** Nanoseconds since 1970. */
  readonly startedAt: bigint;
  readonly endedAt: bigint;
  readonly status: SpanStatus;
  readonly errorType?: string;
  /** Who acted: the agent itself, or the agent of a call or tool call. */
  readonly agentName?: string;
  readonly mcpServer?: string;
  /** Of an agent: how it ended. */
  readonly outcome?: string;
  /** Of a call. */
  readonly usage?: Usage;
  /** Of a call, 1e-9 USD; absent when nobody told. */
  readonly costNanoUsd?: number;
  /** Of a tool call in a `RunDetail`, 1e-9 USD: its share of the call that was first to carry its result. */
  readonly carriedNanoUsd?: number;
  /** The whole span as it was captured. Unpacked when asked for. */
  body(): CapturedSpan;
}

export interface RunDetail {
  readonly run: StoredRun;
  /** In order of their starts, a parent before its children. */
  readonly spans: readonly StoredSpan[];
}

/** A span that failed, with its run. */
export interface Failure {
  readonly run: StoredRun;
  readonly span: StoredSpan;
}

/** Failed spans of one kind and cause. */
export interface FailureGroup {
  readonly kind: SpanKind;
  /** Tool, agent, step …; none for calls: whatever the model, it is the API that failed. */
  readonly name?: string;
  /** How an agent ended, else the type of the error. */
  readonly cause?: string;
  readonly count: number;
  /** In how many runs. */
  readonly runs: number;
  /** Nanoseconds since 1970: when the first and the last of them ended. */
  readonly firstSeenAt: bigint;
  readonly lastSeenAt: bigint;
  /** The last of them. */
  readonly latest: Failure;
}

export type CostDimension =
  | 'tool'
  | 'model'
  | 'project'
  | 'session'
  | 'day'
  | 'user'
  | 'subagent'
  | 'mcp-server'
  | 'branch';

export interface CostQuery {
  readonly by: CostDimension;
  readonly filter?: RunFilter;
}

export interface CostRow {
  /** What the row is about; `unattributed` for the rest, which has `isUnattributed`. A day is `2026-11-21`, UTC. */
  readonly name: string;
  readonly isUnattributed: boolean;
  /** Model calls; of a tool or MCP server, tool calls. */
  readonly calls: number;
  /** Of these, failed. */
  readonly errors: number;
  /** Absent for tools and MCP servers, which are given money only. */
  readonly usage?: Usage;
  readonly costNanoUsd: number;
}

export interface CostReport {
  readonly by: CostDimension;
  /** Dearest first, the unattributed row last; always there, also with nothing in it. Their cost adds up to the total's. */
  readonly rows: readonly CostRow[];
  readonly total: {
    readonly runs: number;
    readonly calls: number;
    /** Calls whose cost nobody told. */
    readonly unpricedCalls: number;
    readonly usage: Usage;
    readonly costNanoUsd: number;
  };
}

/** What is in a store. Results are plain objects; every call reads one consistent state. */
export interface Store {
  readonly path: string;
  /** Newest first. */
  runs(filter?: RunFilter): readonly StoredRun[];
  /** By its id or the beginning of it; undefined if there is none, a `ConfigurationError` if there are several. */
  run(idPrefix: string): RunDetail | undefined;
  /** The first turn of the run with this id, which tells what it was asked to do; undefined before one has ended. */
  firstTurn(runId: string): StoredSpan | undefined;
  /** Failed spans of the runs that match, newest first; `limit` counts spans. */
  failures(filter?: RunFilter): readonly Failure[];
  /** The same, grouped by what failed and why, the most frequent first; `limit` counts groups. */
  failureGroups(filter?: RunFilter): readonly FailureGroup[];
  cost(query: CostQuery): CostReport;
  /** Which of these span keys are stored. */
  knownKeys(keys: Iterable<string>): ReadonlySet<string>;
  close(): void;
}
