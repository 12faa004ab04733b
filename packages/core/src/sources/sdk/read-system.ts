import type { EventSeen } from '../../model/observation.ts';
import type { SpanEvent } from '../../model/span.ts';
import { unixNanoFromMs } from '../../model/time.ts';
import { given } from '../../model/given.ts';
import { type Fields, fieldsOf, numberIn, stringIn, stringsIn } from './guards.ts';
import type { Emit, Envelope } from './envelope.ts';

export interface SystemContext {
  readonly observe: Emit;
  readonly readHooks: boolean;
  /** Subagents that have started and not ended: their end is told up to three times. */
  readonly openTasks: Set<string>;
}

type Reader = (envelope: Envelope, context: SystemContext) => void;

const READERS: Readonly<Record<string, Reader>> = {
  init: readInit,
  status: readStatus,
  task_started: readTaskStarted,
  task_updated: readTaskUpdated,
  task_notification: readTaskNotification,
  hook_response: readHook,
  api_retry: (envelope, { observe }) => observe(event(envelope, 'retry', retryFacts(envelope.message))),
  model_fallback: readFallback,
  model_refusal_fallback: (envelope, { observe }) =>
    observe(event(envelope, 'model_refusal', refusalFacts(envelope.message))),
  model_refusal_no_fallback: (envelope, { observe }) =>
    observe(event(envelope, 'model_refusal', refusalFacts(envelope.message))),
  compact_boundary: (envelope, { observe }) => observe(event(envelope, 'compaction', compactFacts(envelope.message))),
  notification: readNotification,
};

/** Subtypes that are not in the table are none of a trace's business, declared or not. */
export function readSystem(envelope: Envelope, context: SystemContext): void {
  const subtype = stringIn(envelope.message, 'subtype');
  if (subtype !== undefined && Object.hasOwn(READERS, subtype)) READERS[subtype]?.(envelope, context);
}

function readInit({ message, id, at, turn }: Envelope, { observe }: SystemContext): void {
  const sessionId = stringIn(message, 'session_id');
  if (sessionId === undefined) return;
  observe({
    type: 'session',
    id,
    source: 'sdk',
    at,
    turn,
    sessionId,
    ...given('requestModel', stringIn(message, 'model')),
    ...given('cwd', stringIn(message, 'cwd')),
    ...given('permissionMode', stringIn(message, 'permissionMode')),
    ...given('cliVersion', stringIn(message, 'claude_code_version')),
    ...given('toolNames', stringsIn(message, 'tools')),
  });
}

function readStatus({ message, id, at, agent, turn }: Envelope, { observe }: SystemContext): void {
  if (message['status'] !== 'requesting') return;
  observe({
    type: 'stream',
    id,
    source: 'partials',
    at,
    agent,
    call: { messageId: `requested:${turn}` },
    phase: 'requested',
  });
}

function readTaskStarted({ message, id, at }: Envelope, { observe, openTasks }: SystemContext): void {
  const agentId = stringIn(message, 'task_id');
  // Background shells are tasks too, but no agents.
  if (agentId === undefined || message['task_type'] === 'local_bash') return;
  openTasks.add(agentId);
  observe({
    type: 'task-start',
    id,
    source: 'sdk',
    at,
    agentId,
    ...given('toolCallId', stringIn(message, 'tool_use_id')),
    ...given('agentName', stringIn(message, 'subagent_type')),
    ...given('parentAgentId', stringIn(message, 'parent_task_id')),
    ...(message['is_backgrounded'] === true ? { inBackground: true } : {}),
  });
}

const OUTCOMES: Readonly<Record<string, 'completed' | 'failed' | 'stopped'>> = {
  completed: 'completed',
  failed: 'failed',
  stopped: 'stopped',
  killed: 'stopped',
  cancelled: 'stopped',
};

function readTaskUpdated(envelope: Envelope, context: SystemContext): void {
  const patch = fieldsOf(envelope.message['patch']);
  endTask(envelope, context, { status: stringIn(patch, 'status'), endMs: numberIn(patch, 'end_time') });
}

function readTaskNotification(envelope: Envelope, context: SystemContext): void {
  endTask(envelope, context, { status: stringIn(envelope.message, 'status'), endMs: undefined });
}

function endTask(
  { message, id, at }: Envelope,
  { observe, openTasks }: SystemContext,
  { status, endMs }: { readonly status: string | undefined; readonly endMs: number | undefined },
): void {
  const agentId = stringIn(message, 'task_id');
  const outcome = status === undefined ? undefined : OUTCOMES[status];
  if (agentId === undefined || outcome === undefined || !openTasks.delete(agentId)) return;
  observe({
    type: 'task-end',
    id,
    source: 'sdk',
    at: endMs === undefined ? at : unixNanoFromMs(endMs),
    agentId,
    outcome,
  });
}

/** The first model's call has failed for good, without an id in any source; the second model is asked the same again. */
function readFallback(envelope: Envelope, { observe }: SystemContext): void {
  const { message, id, at, agent } = envelope;
  const trigger = stringIn(message, 'trigger') ?? 'model_fallback';
  observe({
    type: 'call-failed',
    id: `${id}:failed`,
    source: 'sdk',
    at,
    agent,
    call: {},
    error: { type: trigger, message: stringIn(message, 'content') ?? trigger },
    isUnmeasured: true,
    ...given('model', stringIn(message, 'original_model')),
  });
  observe(event(envelope, 'model_fallback', fallbackFacts(message)));
}

function readHook({ message, id, at, agent }: Envelope, { observe, readHooks }: SystemContext): void {
  if (!readHooks) return;
  const hookEvent = stringIn(message, 'hook_event') ?? 'unknown';
  observe({
    type: 'hook',
    id,
    source: 'sdk',
    at,
    agent,
    hookEvent,
    hookName: stringIn(message, 'hook_name') ?? hookEvent,
    startedAt: at,
    blocked: message['outcome'] === 'blocked' || message['outcome'] === 'error',
  });
}

function event({ id, at, agent }: Envelope, name: SpanEvent['name'], attributes: SpanEvent['attributes']): EventSeen {
  return { type: 'event', id, source: 'sdk', at, agent, event: { name, at, attributes } };
}

function readNotification(envelope: Envelope, { observe }: SystemContext): void {
  const seen = event(envelope, 'notification', given('priority', stringIn(envelope.message, 'priority')));
  observe({ ...seen, event: { ...seen.event, ...given('content', stringIn(envelope.message, 'text')) } });
}

function retryFacts(message: Fields): SpanEvent['attributes'] {
  return {
    ...given('attempt', numberIn(message, 'attempt')),
    ...given('max_retries', numberIn(message, 'max_retries')),
    ...given('retry_delay_ms', numberIn(message, 'retry_delay_ms')),
    ...given('status_code', numberIn(message, 'error_status')),
    ...given('error', stringIn(message, 'error')),
  };
}

function fallbackFacts(message: Fields): SpanEvent['attributes'] {
  return {
    ...given('trigger', stringIn(message, 'trigger')),
    ...given('original_model', stringIn(message, 'original_model')),
    ...given('fallback_model', stringIn(message, 'fallback_model')),
  };
}

function refusalFacts(message: Fields): SpanEvent['attributes'] {
  return {
    ...given('original_model', stringIn(message, 'original_model')),
    ...given('category', stringIn(message, 'api_refusal_category')),
  };
}

function compactFacts(message: Fields): SpanEvent['attributes'] {
  const metadata = fieldsOf(message['compact_metadata']);
  return {
    ...given('trigger', stringIn(metadata, 'trigger')),
    ...given('pre_tokens', numberIn(metadata, 'pre_tokens')),
    ...given('post_tokens', numberIn(metadata, 'post_tokens')),
    ...given('duration_ms', numberIn(metadata, 'duration_ms')),
  };
}
