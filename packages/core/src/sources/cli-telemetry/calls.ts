import type { AgentRef, CallMeasured, CallRef } from '../../model/observation.ts';
import type { LlmSpan, SpanError } from '../../model/span.ts';
import { costOf, usageFromExclusive } from '../../model/usage.ts';
import type { Draft } from '../../model/given.ts';
import { booleanOf, nanosOf, numberOf, startBefore, startOf, stringOf, textOf, usageParts } from './fields.ts';
import type { TelemetryAttributes, TelemetryLog, TelemetrySpan } from './telemetry.ts';

const PURPOSES: Readonly<Record<string, LlmSpan['purpose']>> = {
  sdk: 'turn',
  repl_main_thread: 'turn',
  compact: 'compaction',
  generate_session_title: 'title',
  model_validation: 'validation',
};

/** Agents' calls name the agent; everything else that is not the main loop is a helper of the CLI's own. */
function purposeOf(attributes: TelemetryAttributes): LlmSpan['purpose'] {
  const source = stringOf(attributes['query_source_safe']) ?? stringOf(attributes['query_source']);
  if (source === undefined) return 'turn';
  return PURPOSES[source] ?? (/^agent[.:]/.test(source) ? 'turn' : 'other');
}

/** The values of `gen_ai.provider.name` differ from the CLI's own only where a cloud stands between. */
const PROVIDERS: Readonly<Record<string, string>> = { bedrock: 'aws.bedrock', vertex: 'gcp.vertex_ai' };

function providerOf(attributes: TelemetryAttributes): string | undefined {
  const own = stringOf(attributes['anthropic.provider']);
  return (own === undefined ? undefined : PROVIDERS[own]) ?? stringOf(attributes['gen_ai.provider.name']);
}

function callRef(attributes: TelemetryAttributes): CallRef {
  const requestId = stringOf(attributes['request_id']) ?? stringOf(attributes['gen_ai.response.id']);
  return requestId === undefined ? {} : { requestId };
}

export function agentRef(attributes: TelemetryAttributes, cliParentId: string | undefined): AgentRef {
  const ref: Draft<AgentRef> = {};
  const agentId = stringOf(attributes['agent_id']);
  const agentName = stringOf(attributes['agent.name']);
  if (agentId !== undefined) ref.agentId = agentId;
  if (agentName !== undefined) ref.agentName = agentName;
  if (cliParentId !== undefined) ref.cliParentId = cliParentId;
  return ref;
}

/** `claude_code.llm_request`: one per call, all attempts within. */
export function callFromSpan(span: TelemetrySpan): CallMeasured {
  const { attributes } = span;
  const attempts = span.events.filter((event) => event.name === 'gen_ai.request.attempt');
  const lastAttempt = attempts.at(-1)?.at ?? span.startedAt;
  const untilFirstToken = nanosOf(attributes['ttft_ms']);
  const hasFailed = booleanOf(attributes['success']) === false;
  const call: Draft<CallMeasured> = {
    type: 'call-measured',
    part: 'span',
    id: `cli:span:${span.spanId}`,
    source: 'cli',
    at: span.endedAt,
    agent: agentRef(attributes, span.parentSpanId),
    call: callRef(attributes),
    model: stringOf(attributes['gen_ai.request.model']) ?? stringOf(attributes['model']) ?? 'unknown',
    purpose: purposeOf(attributes),
    // The span begins some 10 ms before the request leaves; its first attempt is when it does.
    startedAt: startOf({ startedAt: attempts[0]?.at ?? span.startedAt, endedAt: span.endedAt }),
    endedAt: span.endedAt,
    attempts: Math.max(attempts.length, numberOf(attributes['attempt']) ?? 1),
  };
  tellFigures(call, attributes, hasFailed);
  if (untilFirstToken !== undefined) call.firstTokenAt = lastAttempt + untilFirstToken;
  const stopReason = stringOf(attributes['stop_reason']);
  if (stopReason !== undefined) call.stopReason = stopReason;
  return call;
}

/** `api_request` and `api_error`: figures of a call, priced by the CLI; `duration_ms` is the last attempt's. */
export function callFromLog(log: TelemetryLog, id: string): CallMeasured {
  const { attributes } = log;
  const hasFailed = attributes['event.name'] === 'api_error';
  const call: Draft<CallMeasured> = {
    type: 'call-measured',
    part: 'log',
    id,
    source: 'cli',
    at: log.at,
    agent: agentRef(attributes, log.spanId),
    call: callRef(attributes),
    model: stringOf(attributes['model']) ?? 'unknown',
    purpose: purposeOf(attributes),
    endedAt: log.at,
  };
  tellFigures(call, attributes, hasFailed);
  const startedAt = startBefore(log.at, nanosOf(attributes['duration_ms']));
  const costUsd = hasFailed ? undefined : costOf(numberOf(attributes['cost_usd']));
  const attempts = numberOf(attributes['attempt']);
  if (startedAt !== undefined) call.startedAt = startedAt;
  if (costUsd !== undefined) call.costUsd = costUsd;
  if (attempts !== undefined) call.attempts = attempts;
  return call;
}

/** What spans and logs tell alike. */
function tellFigures(call: Draft<CallMeasured>, attributes: TelemetryAttributes, hasFailed: boolean): void {
  const provider = providerOf(attributes);
  if (provider !== undefined) call.provider = provider;
  if (hasFailed) {
    call.error = callError(attributes);
    return;
  }
  const usage = usageFromExclusive(usageParts(attributes));
  if (usage !== undefined) call.usage = usage;
}

function callError(attributes: TelemetryAttributes): SpanError {
  const status = numberOf(attributes['status_code']);
  const type =
    stringOf(attributes['error_class']) ??
    stringOf(attributes['error_type']) ??
    (status === undefined ? 'api_error' : String(status));
  return { type, message: textOf(attributes['error']) ?? type };
}
