import type { AgentRef, CallMeasured, CallRef } from '../../model/observation.ts';
import type { LlmSpan, SpanError } from '../../model/span.ts';
import { costOf, usageFromExclusive } from '../../model/usage.ts';
import { given } from '../../model/given.ts';
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
  return given('requestId', stringOf(attributes['request_id']) ?? stringOf(attributes['gen_ai.response.id']));
}

export function agentRef(attributes: TelemetryAttributes, cliParentId: string | undefined): AgentRef {
  return {
    ...given('agentId', stringOf(attributes['agent_id'])),
    ...given('agentName', stringOf(attributes['agent.name'])),
    ...given('cliParentId', cliParentId),
  };
}

/** `claude_code.llm_request`: one per call, all attempts within. */
export function callFromSpan(span: TelemetrySpan): CallMeasured {
  const { attributes } = span;
  const attempts = span.events.filter((event) => event.name === 'gen_ai.request.attempt');
  const lastAttempt = attempts.at(-1)?.at ?? span.startedAt;
  const untilFirstToken = nanosOf(attributes['ttft_ms']);
  const hasFailed = booleanOf(attributes['success']) === false;
  return {
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
    ...given('provider', providerOf(attributes)),
    ...given('usage', hasFailed ? undefined : usageFromExclusive(usageParts(attributes))),
    ...given('firstTokenAt', untilFirstToken === undefined ? undefined : lastAttempt + untilFirstToken),
    ...given('stopReason', stringOf(attributes['stop_reason'])),
    ...given('error', hasFailed ? callError(attributes) : undefined),
  };
}

/** `api_request` and `api_error`: figures of a call, priced by the CLI; `duration_ms` is the last attempt's. */
export function callFromLog(log: TelemetryLog, id: string): CallMeasured {
  const { attributes } = log;
  const hasFailed = attributes['event.name'] === 'api_error';
  return {
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
    ...given('startedAt', startBefore(log.at, nanosOf(attributes['duration_ms']))),
    ...given('provider', providerOf(attributes)),
    ...given('usage', hasFailed ? undefined : usageFromExclusive(usageParts(attributes))),
    ...given('costUsd', hasFailed ? undefined : costOf(numberOf(attributes['cost_usd']))),
    ...given('attempts', numberOf(attributes['attempt'])),
    ...given('error', hasFailed ? callError(attributes) : undefined),
  };
}

function callError(attributes: TelemetryAttributes): SpanError {
  const status = numberOf(attributes['status_code']);
  const type =
    stringOf(attributes['error_class']) ??
    stringOf(attributes['error_type']) ??
    (status === undefined ? 'api_error' : String(status));
  return { type, message: textOf(attributes['error']) ?? type };
}
