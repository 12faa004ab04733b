import { expect, test } from 'vitest';
import type { OtlpLog, OtlpSpan } from '../../otlp/records.ts';
import { CliTelemetrySource } from './cli-telemetry.ts';

const GROUP = { resource: {}, scope: { name: 'com.anthropic.claude_code' } };
const [OWN, OTHER] = ['1'.repeat(16), '2'.repeat(16)];

function prompt(message: string, spanId: string): OtlpLog {
  return {
    at: 1n,
    spanId,
    attributes: { 'event.name': 'user_prompt', 'message.uuid': message, 'event.sequence': message.length },
  };
}

test('a turn is found by the messages that began or joined it, whichever export of it came first', () => {
  const source = new CliTelemetrySource({
    observe: () => undefined,
    askedParty: 'user',
    hasStream: false,
    showHooks: true,
  });
  const turn: OtlpSpan = {
    traceId: '3'.repeat(32),
    spanId: OWN,
    name: 'claude_code.interaction',
    kind: 1,
    startedAt: 1n,
    endedAt: 2n,
    attributes: { 'interaction.sequence': 5 },
    events: [],
    links: [],
    status: { code: 0 },
  };
  source.receive({ signal: 'traces', groups: [{ ...GROUP, records: [turn] }] });
  expect(source.turnOf('first')).toBeUndefined();
  const records = [prompt('first', OWN), prompt('joined', OWN), prompt('another', OTHER)];
  source.receive({ signal: 'logs', groups: [{ ...GROUP, records }] });
  expect(['first', 'joined', 'another'].map((id) => source.turnOf(id))).toEqual([0, 0, 1]);
});
