import type { TraceContext } from '../model/ids.ts';
import type { Observation } from '../model/observation.ts';
import { RecentFlags } from '../model/bounded.ts';
import { startAgent } from './emit.ts';
import { type AgentNode, turnOf } from './nodes.ts';
import { onHook, onTaskEnd, onTaskStart } from './on-agent.ts';
import { onAnswer, onAnswerText, onCallFailed, onCallMeasured, onStream } from './on-call.ts';
import { onCallPassed } from './on-wire.ts';
import { onPermission, onToolHandler, onToolMeasured, onToolResult } from './on-tool.ts';
import {
  onCounters,
  onEvent,
  onInput,
  onQueryEnd,
  onSession,
  onTurnMeasured,
  onTurnResult,
  onTurnStart,
} from './on-turn.ts';
import { type AssemblerOptions, newRun, nowMs, type Run, type RunCounters } from './run.ts';
import { settle, settleAll } from './settle.ts';

type Handlers = { readonly [T in Observation['type']]: (run: Run, seen: Extract<Observation, { type: T }>) => void };

const HANDLERS: Handlers = {
  session: onSession,
  'turn-start': onTurnStart,
  'turn-result': onTurnResult,
  'turn-measured': onTurnMeasured,
  input: onInput,
  answer: onAnswer,
  stream: onStream,
  'call-failed': onCallFailed,
  'call-measured': onCallMeasured,
  'call-passed': onCallPassed,
  'answer-text': onAnswerText,
  event: onEvent,
  'tool-result': onToolResult,
  'tool-measured': onToolMeasured,
  'tool-handler': onToolHandler,
  permission: onPermission,
  'task-start': onTaskStart,
  'task-end': onTaskEnd,
  hook: onHook,
  counters: onCounters,
  'query-end': onQueryEnd,
};

interface Kind {
  readonly handle: (run: Run, seen: Observation) => void;
  /** One bit of its own. */
  readonly flag: number;
}

const KINDS = Object.fromEntries(
  Object.entries(HANDLERS).map(([type, handle], index) => [type, { handle, flag: 1 << index }]),
) as Readonly<Record<Observation['type'], Kind>>;

/**
 * How many observations are remembered to tell a second delivery from a new one. The CLI sends whole batches again; what comes from
 * within the process would come again at once, and remembering is what costs most there.
 */
const REMEMBERED_OF_CLI = 8192;
const REMEMBERED = 128;

/** Those of which there are most are not looked up. */
const { answer: ANSWER, 'tool-result': TOOL_RESULT } = KINDS;

function kindOf({ type }: Observation): Kind {
  if (type === 'answer') return ANSWER;
  return type === 'tool-result' ? TOOL_RESULT : KINDS[type];
}

/** The node itself tells a second delivery: what the stream shows most of need not be remembered by its id too. */
function isKnownByItsSpan(observation: Observation): boolean {
  if (observation.type === 'tool-result') return true;
  if (observation.type === 'stream') return observation.phase !== 'requested';
  return observation.type === 'answer' && observation.call.messageId !== undefined;
}

/** The first deadline of an agent and of what is open within it, of which only another source's word is waited for. */
function deadlineOf(agent: AgentNode, expectsMore: boolean): number {
  let earliest = agent.deadline ?? Number.POSITIVE_INFINITY;
  if (!expectsMore) return earliest;
  for (const call of agent.openCalls) earliest = Math.min(earliest, call.deadline ?? earliest);
  for (const tool of agent.openTools) {
    earliest = Math.min(earliest, tool.deadline ?? earliest);
    for (const call of tool.openCalls) earliest = Math.min(earliest, call.deadline ?? earliest);
  }
  return earliest;
}

/** Joins what all sources saw of one query into spans. */
export class Assembler {
  readonly #run: Run;
  readonly #seen: RecentFlags = new RecentFlags(REMEMBERED);
  readonly #seenOfCli: RecentFlags = new RecentFlags(REMEMBERED_OF_CLI);
  #isTogether = false;

  constructor(options: AssemblerOptions) {
    this.#run = newRun(options);
  }

  get counters(): Readonly<RunCounters> {
    return this.#run.counters;
  }

  /** Turns and subagents that have not ended. */
  get openAgents(): number {
    return this.#run.registry.turns.length + this.#run.registry.subagents.size;
  }

  /** Everything that is held because it is not finished: what grows with what is open, not with the conversation. */
  get held(): number {
    return this.#run.registry.openCount + this.#run.ledger.size;
  }

  /** Whether telemetry of the CLI may still come; false when none was asked for, or when it has kept silent for too long. */
  get awaitsCli(): boolean {
    return this.#run.expectsCli;
  }

  /** Whether any model call was seen that passed, or should have. */
  get hasCalls(): boolean {
    return this.#run.hasCalls;
  }

  observe(observation: Observation): void {
    const run = this.#run;
    const seen = observation.source === 'cli' ? this.#seenOfCli : this.#seen;
    const { handle, flag } = kindOf(observation);
    if (!isKnownByItsSpan(observation) && !seen.add(observation.id, flag)) {
      run.counters.duplicate += 1;
      return;
    }
    if (observation.source === 'cli') run.wasCliSeen = true;
    handle(run, observation);
    if (observation.type === 'turn-start' && observation.source !== 'cli') this.#startTurn(observation.turn);
    if (!this.#isTogether) settle(run);
  }

  /** What is observed meanwhile arrived in one piece: what it ends is looked for once, when all of it is known. */
  together(observe: () => void): void {
    this.#isTogether = true;
    try {
      observe();
    } finally {
      this.#isTogether = false;
      settle(this.#run);
    }
  }

  /** Ends what has waited long enough. */
  sweep(): void {
    this.#run.heedsDeadlines = true;
    settle(this.#run);
    this.#run.heedsDeadlines = false;
  }

  /** Milliseconds until `sweep` has something to do; undefined when nothing waits. */
  nextDeadlineMs(): number | undefined {
    let earliest = Number.POSITIVE_INFINITY;
    const { expectsCli, expectsWire, registry } = this.#run;
    const expects = expectsCli || expectsWire;
    for (const turn of registry.turns) earliest = Math.min(earliest, deadlineOf(turn, expects));
    if (registry.subagents.size > 0)
      for (const subagent of registry.subagents) earliest = Math.min(earliest, deadlineOf(subagent, expects));
    if (earliest === Number.POSITIVE_INFINITY) return undefined;
    return Math.min(Math.max(0, earliest - nowMs(this.#run)), this.#run.options.settleMs);
  }

  /** Ends everything: the process is gone, or nobody will wait any longer. */
  end(): void {
    settleAll(this.#run);
  }

  get wasCliSilent(): boolean {
    return this.#run.wasCliSilent;
  }

  /** Where a turn stands in its trace, as the host's own tracing sees it where there is one. */
  contextOfTurn(turn: number): TraceContext | undefined {
    const node = this.#run.registry.turn(turn);
    if (node?.sinkContext !== undefined) return node.sinkContext;
    if (node?.traceId === undefined) return undefined;
    return { traceId: node.traceId, spanId: node.spanId, sampled: true };
  }

  /** Our span of a running tool call. */
  contextOfTool(toolCallId: string): TraceContext | undefined {
    const tool = this.#run.registry.openTool(toolCallId);
    const traceId = tool === undefined ? undefined : turnOf(tool)?.traceId;
    return tool === undefined || traceId === undefined ? undefined : { traceId, spanId: tool.spanId, sampled: true };
  }

  #startTurn(turn: number): void {
    const node = this.#run.registry.turn(turn);
    if (node !== undefined) startAgent(this.#run, node);
  }
}
