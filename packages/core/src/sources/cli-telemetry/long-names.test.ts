import { expect, test } from 'vitest';
import type { Observation } from '../../model/observation.ts';
import type { OtlpAttributes, OtlpLog, OtlpSpan } from '../../otlp/records.ts';
import { CliTelemetrySource } from './cli-telemetry.ts';

const GROUP = { resource: {}, scope: { name: 'com.anthropic.claude_code' } };
const LONG = 'x'.repeat(10_000_000);

const NAMES: OtlpAttributes = {
  'session.id': LONG,
  model: LONG,
  request_id: LONG,
  tool_use_id: LONG,
  tool_name: LONG,
  agent_id: LONG,
  'agent.name': LONG,
  stop_reason: LONG,
  'message.uuid': LONG,
  hook_event: LONG,
};

const span = (name: string): OtlpSpan => ({
  traceId: '0af7651916cd43dd8448eb211c80319c',
  spanId: 'aaaaaaaaaaaaaaaa',
  name,
  kind: 1,
  startedAt: 1n,
  endedAt: 2n,
  attributes: NAMES,
  events: [],
  links: [],
  status: { code: 0 },
});

const log = (name: string): OtlpLog => ({ at: 3n, attributes: { ...NAMES, 'event.name': name, num_hooks: 1 } });

/** Of the longest text within. */
function longest(value: unknown): number {
  if (typeof value === 'string') return value.length;
  if (typeof value !== 'object' || value === null) return 0;
  return Math.max(0, ...Object.values(value).map(longest));
}

function watched(): { readonly seen: Observation[]; readonly source: CliTelemetrySource } {
  const seen: Observation[] = [];
  const observe = (one: Observation): void => void seen.push(one);
  return { seen, source: new CliTelemetrySource({ observe, askedParty: 'host', hasStream: true, showHooks: true }) };
}

test('what telemetry names is not of any length: ids and names are remembered', () => {
  const { seen, source } = watched();
  const spans = ['claude_code.llm_request', 'claude_code.tool', 'claude_code.tool.execution'].map(span);
  const logs = ['user_prompt', 'api_request', 'tool_result', 'subagent_completed', 'hook_execution_complete'].map(log);
  source.receive({ signal: 'traces', groups: [{ ...GROUP, records: spans }] });
  source.receive({ signal: 'logs', groups: [{ ...GROUP, records: logs }] });
  expect(new Set(seen.map(({ type }) => type))).toEqual(
    new Set(['session', 'call-measured', 'tool-measured', 'turn-start', 'task-end', 'hook']),
  );
  expect(longest(seen)).toBeLessThan(10_000);
});

test('what an error says is words, of any length', () => {
  const { seen, source } = watched();
  const attributes = { 'event.name': 'api_error', error: LONG, request_id: 'req_1' };
  source.receive({ signal: 'logs', groups: [{ ...GROUP, records: [{ at: 3n, attributes }] }] });
  expect(seen).toMatchObject([{ type: 'call-measured', error: { message: LONG } }]);
});
