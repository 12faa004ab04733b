import { expect, test } from 'vitest';
import type { Observation } from '../../model/observation.ts';
import type { OtlpAttributes, OtlpLog, OtlpSpan } from '../../otlp/records.ts';
import { CliTelemetrySource } from './cli-telemetry.ts';

const GROUP = { resource: {}, scope: { name: 'com.anthropic.claude_code' } };

function seenOf(records: { readonly spans?: readonly OtlpSpan[]; readonly logs?: readonly OtlpLog[] }): Observation[] {
  const seen: Observation[] = [];
  const source = new CliTelemetrySource({
    observe: (one) => seen.push(one),
    askedParty: 'host',
    hasStream: true,
    showHooks: true,
  });
  source.receive({ signal: 'traces', groups: [{ ...GROUP, records: records.spans ?? [] }] });
  source.receive({ signal: 'logs', groups: [{ ...GROUP, records: records.logs ?? [] }] });
  return seen;
}

/** Ends three seconds before it starts. */
function backwards(name: string, attributes: OtlpAttributes): OtlpSpan {
  const spanId = 'aaaaaaaaaaaaaaaa';
  const base = { traceId: '0af7651916cd43dd8448eb211c80319c', spanId, parentSpanId: spanId, kind: 1 };
  const times = { startedAt: 5_000_000_000n, endedAt: 2_000_000_000n };
  return { ...base, ...times, name, attributes, events: [], links: [], status: { code: 0 } };
}

const log = (name: string, attributes: OtlpAttributes): OtlpLog => ({
  at: 3_000_000_000n,
  attributes: { 'event.name': name, ...attributes },
});

test.each([
  ['claude_code.tool.blocked_on_user', { source: 'user_temporary' }],
  ['claude_code.tool', { tool_use_id: 't' }],
  ['claude_code.llm_request', { request_id: 'r' }],
])('%s does not start after its end', (name, attributes) => {
  expect(seenOf({ spans: [backwards(name, attributes)] })).toMatchObject([{ startedAt: 2_000_000_000n }]);
});

test.each([-5, 1e300, Number.MAX_VALUE])('what lasted %d ms began at a time that is not known', (duration_ms) => {
  const logs = [log('tool_result', { tool_use_id: 't', duration_ms }), log('api_request', { duration_ms })];
  for (const seen of seenOf({ logs })) expect(seen).not.toHaveProperty('startedAt');
  const hook = log('hook_execution_complete', { hook_event: 'Stop', num_hooks: 1, total_duration_ms: duration_ms });
  expect(seenOf({ logs: [hook] })).toMatchObject([{ startedAt: 3_000_000_000n }]);
  const call = backwards('claude_code.llm_request', { request_id: 'r', ttft_ms: duration_ms });
  expect(seenOf({ spans: [call] })[0]).not.toHaveProperty('firstTokenAt');
});
