import { RecentMap } from '../../model/bounded.ts';
import { isSpanId, isTraceId, type TraceContext } from '../../model/ids.ts';
import type {
  CallMeasured,
  Observation,
  SessionSeen,
  TaskEnded,
  TurnMeasured,
  TurnStarted,
} from '../../model/observation.ts';
import type { MetricPoint } from '../../model/sink.ts';
import type { OtlpMetric, OtlpRequest, OtlpValue } from '../../otlp/records.ts';
import { agentRef, callFromLog, callFromSpan } from './calls.ts';
import { countersFrom, metricPoints } from './counters.ts';
import { type Draft, given } from '../../model/given.ts';
import { contentOf, numberOf, stringOf, textOf } from './fields.ts';
import { hookFromLog, permissionFromSpan, toolFromLog, toolFromSpan } from './tools.ts';
import type { TelemetryLog, TelemetrySpan } from './telemetry.ts';

export interface CliTelemetryOptions {
  readonly observe: (observation: Observation) => void;
  readonly metrics?: (points: readonly MetricPoint[]) => void;
  /** Who answers permission questions: the host of an SDK run, or the user at a terminal. */
  readonly askedParty: 'user' | 'host';
  /** With the SDK's own stream in view, events that both tell are taken from the stream. */
  readonly hasStream: boolean;
  /** False when the only hooks are our own. */
  readonly showHooks: boolean;
  /** Told when a prompt joined the turn that was running instead of beginning one. */
  readonly onSteer?: (steer: { readonly turn: number; readonly at: bigint }) => void;
}

/** How many records came in. */
export interface CliTelemetryCounters {
  readonly spans: number;
  readonly logs: number;
  readonly metrics: number;
  /** Those that say nothing to us: of a newer CLI or another program, or without the ids that make them useful. */
  readonly unknown: number;
}

const SPAN_PREFIX = 'claude_code.';

/** Turns and agents of which something may still come. */
const REMEMBERED = 256;

/** Records of what a call answered. */
const ANSWERS: ReadonlySet<string> = new Set(['assistant_response', 'api_response_body']);

/** Records of the CLI that tell only what others tell better, or nothing of what an agent does. */
const LEFT_ALONE: ReadonlySet<string> = new Set([
  'api_request_body',
  'api_retries_exhausted',
  'at_mention',
  'auth',
  'feedback_survey',
  'hook_execution_start',
  'hook_plugin_metrics',
  'hook_registered',
  'internal_error',
  'managed_settings_resolved',
  'mcp_server_connection',
  'permission_mode_changed',
  'plugin_installed',
  'plugin_loaded',
  'retention_sweep',
  'safety_event',
  'skill_activated',
  'system_prompt',
  'tool',
  'tool_decision',
]);

function nameOf(log: TelemetryLog): string | undefined {
  return stringOf(log.attributes['event.name']) ?? log.eventName?.replace(SPAN_PREFIX, '');
}

/** Turns what one Claude Code process exports over OTLP into observations. */
export class CliTelemetrySource {
  readonly #options: CliTelemetryOptions;
  readonly #counters = { spans: 0, logs: 0, metrics: 0, unknown: 0 };
  readonly #turns: RecentMap<number> = new RecentMap(REMEMBERED);
  /** Prompts that were told, and the spans of the turns that they began. */
  readonly #told: RecentMap<true> = new RecentMap(REMEMBERED);
  /** By the message that began or joined them. */
  readonly #turnsOfMessages: RecentMap<number> = new RecentMap(REMEMBERED);
  readonly #ordinals: RecentMap<number> = new RecentMap(REMEMBERED);
  #prompts = 0;
  #sessionId: string | undefined;

  constructor(options: CliTelemetryOptions) {
    this.#options = options;
  }

  get counters(): CliTelemetryCounters {
    return this.#counters;
  }

  /** The number of the turn that a message of the user's belongs to, if it was told of. */
  turnOf(messageId: string): number | undefined {
    return this.#turnsOfMessages.get(messageId);
  }

  receive(request: OtlpRequest): void {
    switch (request.signal) {
      case 'traces':
        for (const group of request.groups) for (const span of group.records) this.#span(span);
        return;
      case 'logs':
        for (const group of request.groups) this.#logs(group.records);
        return;
      case 'metrics':
        for (const group of request.groups) this.#metrics(group.records);
    }
  }

  #span(span: TelemetrySpan): void {
    this.#counters.spans += 1;
    const observation = this.#fromSpan(span);
    this.#session(span.attributes['session.id'], span.endedAt);
    if (observation !== undefined) this.#options.observe(observation);
    // Hooks are taken from their log.
    else if (span.name !== `${SPAN_PREFIX}hook`) this.#counters.unknown += 1;
  }

  #fromSpan(span: TelemetrySpan): Observation | undefined {
    switch (span.name) {
      case `${SPAN_PREFIX}llm_request`:
        return this.#numbered(callFromSpan(span));
      case `${SPAN_PREFIX}tool`:
        return toolFromSpan(span, 'span');
      case `${SPAN_PREFIX}tool.execution`:
        return toolFromSpan(span, 'execution');
      case `${SPAN_PREFIX}tool.blocked_on_user`:
        return permissionFromSpan(span, this.#options.askedParty);
      case `${SPAN_PREFIX}interaction`:
        return this.#turnFromSpan(span);
      default:
        return undefined;
    }
  }

  /** What a call answered is logged just after the record that completes the call: it must be told before. */
  #logs(logs: readonly TelemetryLog[]): void {
    for (const log of logs) if (ANSWERS.has(nameOf(log) ?? '')) this.#log(log);
    for (const log of logs) if (!ANSWERS.has(nameOf(log) ?? '')) this.#log(log);
  }

  #log(log: TelemetryLog): void {
    this.#counters.logs += 1;
    this.#session(log.attributes['session.id'], log.at);
    const name = nameOf(log);
    const observation = name === undefined ? this.#unknown() : this.#fromLog(log, name);
    if (observation !== undefined) this.#options.observe(observation);
  }

  #fromLog(log: TelemetryLog, name: string): Observation | undefined {
    // `event.sequence` orders all log records of one process.
    const id = `cli:log:${numberOf(log.attributes['event.sequence']) ?? '-'}:${name}:${log.at}`;
    switch (name) {
      case 'user_prompt':
        return this.#turnFromLog(log, id);
      case 'api_request':
      case 'api_error':
        return this.#numbered(callFromLog(log, id));
      case 'assistant_response':
        return answerFromLog(log, id);
      case 'api_response_body':
        return answerIdsFromLog(log, id);
      case 'tool_result':
        return toolFromLog(log, id) ?? this.#unknown();
      case 'hook_execution_complete':
        return this.#options.showHooks ? hookFromLog(log, id) : undefined;
      case 'subagent_completed':
        return subagentFromLog(log, id) ?? this.#unknown();
      case 'compaction':
      case 'api_refusal':
        return this.#options.hasStream ? undefined : eventFromLog(log, id, name);
      default:
        return LEFT_ALONE.has(name) ? undefined : this.#unknown();
    }
  }

  #unknown(): undefined {
    this.#counters.unknown += 1;
    return undefined;
  }

  /** Turns are counted, so a prompt that is exported once more must not count again. */
  #turnFromLog(log: TelemetryLog, id: string): TurnStarted | undefined {
    const { attributes, spanId } = log;
    if (this.#told.get(id) === true) return undefined;
    this.#told.set(id, true);
    const prompt = contentOf(attributes['prompt']);
    const messageId = stringOf(attributes['message.uuid']);
    const known = spanId === undefined ? undefined : this.#turns.get(spanId);
    if (messageId !== undefined && known !== undefined) this.#turnsOfMessages.set(messageId, known);
    if (known !== undefined && this.#told.get(`turn:${spanId}`) === true) {
      this.#options.onSteer?.({ turn: known, at: log.at });
      return undefined;
    }
    const turn = known ?? this.#newTurn(spanId);
    if (messageId !== undefined) this.#turnsOfMessages.set(messageId, turn);
    if (spanId !== undefined) this.#told.set(`turn:${spanId}`, true);
    return turnFromLog(log, { id, turn, prompt, messageId });
  }

  #turnFromSpan(span: TelemetrySpan): TurnMeasured | undefined {
    const sequence = numberOf(span.attributes['interaction.sequence']);
    if (sequence === undefined || sequence < 1) return undefined;
    // The stream counts as the CLI does. Without it a session may be one that another process resumes, whose count begins anew.
    const turn = this.#options.hasStream ? sequence - 1 : (this.#turns.get(span.spanId) ?? this.#newTurn(span.spanId));
    const parent = parentOf(span);
    return {
      type: 'turn-measured',
      id: `cli:span:${span.spanId}`,
      source: 'cli',
      at: span.endedAt,
      turn,
      cliSpanId: span.spanId,
      startedAt: span.startedAt,
      ...(parent === undefined ? {} : { parent }),
    };
  }

  #newTurn(cliSpanId: string | undefined): number {
    const turn = this.#prompts;
    this.#prompts += 1;
    if (cliSpanId !== undefined) this.#turns.set(cliSpanId, turn);
    return turn;
  }

  /** Span and log of a call without ids are told together by their place in the row of such calls; an export comes once. */
  #numbered(seen: CallMeasured): CallMeasured {
    if (seen.call.requestId !== undefined) return seen;
    const known = this.#ordinals.get(seen.id);
    if (known !== undefined) return { ...seen, ordinal: known };
    const row = `${seen.part}:${seen.purpose}:${seen.agent.agentId ?? seen.agent.cliParentId}`;
    const ordinal = this.#ordinals.get(row) ?? 0;
    this.#ordinals.set(row, ordinal + 1);
    this.#ordinals.set(seen.id, ordinal);
    return { ...seen, ordinal };
  }

  #metrics(metrics: readonly OtlpMetric[]): void {
    this.#counters.metrics += metrics.length;
    const counters = countersFrom(metrics);
    if (counters !== undefined) this.#options.observe(counters);
    this.#counters.unknown += metrics.filter(({ data }) => data.type !== 'sum' && data.type !== 'gauge').length;
    const points = metricPoints(metrics);
    if (points.length > 0) this.#options.metrics?.(points);
  }

  #session(value: OtlpValue | undefined, at: bigint): void {
    if (value === this.#sessionId) return;
    const sessionId = stringOf(value);
    if (sessionId === undefined || sessionId === this.#sessionId) return;
    this.#sessionId = sessionId;
    const session: SessionSeen = { type: 'session', id: `cli:session:${sessionId}`, source: 'cli', at, sessionId };
    this.#options.observe(session);
  }
}

/** Of a turn that has its place from the process's environment. */
function parentOf({ traceId, parentSpanId = '', attributes }: TelemetrySpan): TraceContext | undefined {
  if (attributes['parent.source'] !== 'env' || !isTraceId(traceId) || !isSpanId(parentSpanId)) return undefined;
  return { traceId, spanId: parentSpanId, sampled: true };
}

interface Prompted {
  readonly id: string;
  readonly turn: number;
  readonly prompt: string | undefined;
  readonly messageId: string | undefined;
}

function turnFromLog(log: TelemetryLog, { id, turn, prompt, messageId }: Prompted): TurnStarted {
  const start: Draft<TurnStarted> = { type: 'turn-start', id, source: 'cli', at: log.at, turn };
  const trigger = triggerOf(log, prompt);
  if (trigger !== undefined) start.trigger = trigger;
  if (log.spanId !== undefined) start.cliSpanId = log.spanId;
  if (messageId !== undefined) start.userMessageId = messageId;
  if (prompt !== undefined) start.prompt = { role: 'user', content: [{ type: 'text', text: prompt }] };
  return start;
}

function triggerOf(log: TelemetryLog, prompt: string | undefined): TurnStarted['trigger'] {
  if (log.attributes['command_name'] !== undefined) return 'command';
  return prompt?.startsWith('<task-notification>') === true ? 'task_notification' : undefined;
}

function answerFromLog(log: TelemetryLog, id: string): Observation | undefined {
  const requestId = stringOf(log.attributes['request_id']);
  const text = contentOf(log.attributes['response']);
  if (requestId === undefined || text === undefined) return undefined;
  return { type: 'answer-text', id, source: 'cli', at: log.at, call: { requestId }, text };
}

/** The one place where telemetry names the message; the body itself is another source's business. */
function answerIdsFromLog(log: TelemetryLog, id: string): Observation | undefined {
  const requestId = stringOf(log.attributes['request_id']);
  const messageId = stringOf(log.attributes['message.id']);
  if (requestId === undefined || messageId === undefined) return undefined;
  return { type: 'answer-text', id, source: 'cli', at: log.at, call: { requestId, messageId } };
}

function subagentFromLog(log: TelemetryLog, id: string): TaskEnded | undefined {
  const agentId = stringOf(log.attributes['agent_id']);
  if (agentId === undefined) return undefined;
  return {
    type: 'task-end',
    id,
    source: 'cli',
    at: log.at,
    agentId,
    outcome: 'completed',
    ...given('agentName', stringOf(log.attributes['agent_type'])),
  };
}

function eventFromLog(log: TelemetryLog, id: string, name: 'compaction' | 'api_refusal'): Observation {
  const { attributes } = log;
  const facts = {
    ...given('trigger', stringOf(attributes['trigger'])),
    ...given('pre_tokens', numberOf(attributes['pre_tokens'])),
    ...given('post_tokens', numberOf(attributes['post_tokens'])),
    ...given('category', stringOf(attributes['category'])),
  };
  return {
    type: 'event',
    id,
    source: 'cli',
    at: log.at,
    agent: agentRef(attributes, log.spanId),
    event: {
      name: name === 'compaction' ? 'compaction' : 'model_refusal',
      at: log.at,
      attributes: facts,
      // Why a compaction failed, in words.
      ...given('content', textOf(attributes['error'])),
    },
  };
}
