import { expect, test } from 'vitest';
import type { OtlpLog, OtlpRequest, OtlpSpan } from '../otlp/records.ts';
import { createSessions } from '../sessions.ts';
import { memorySink } from '../sinks/memory-sink.ts';

const GROUP = { resource: {}, scope: { name: 'com.anthropic.claude_code' } };
const TURN = 'aaaaaaaaaaaaaaaa';
const TOOL = 'bbbbbbbbbbbbbbbb';
const START = 1_700_000_000_000_000_000n;

const span = (fields: Pick<OtlpSpan, 'name' | 'spanId' | 'attributes'> & Partial<OtlpSpan>): OtlpSpan => ({
  traceId: '0af7651916cd43dd8448eb211c80319c',
  kind: 1,
  startedAt: START,
  endedAt: START + 1_000_000n,
  events: [],
  links: [],
  status: { code: 0 },
  ...fields,
});

const log = (name: string, attributes: OtlpLog['attributes']): OtlpLog => ({
  at: START,
  spanId: TURN,
  attributes: { 'event.name': name, ...attributes },
});

const spansOf = (...records: readonly OtlpSpan[]): OtlpRequest => ({
  signal: 'traces',
  groups: [{ ...GROUP, records }],
});
const logsOf = (...records: readonly OtlpLog[]): OtlpRequest => ({ signal: 'logs', groups: [{ ...GROUP, records }] });

test('what one export tells of a call is known when the call ends, in whatever order it stands there', async () => {
  const sink = memorySink();
  const sessions = createSessions({ sinks: [sink], capture: 'full', diag: () => undefined });
  const session = sessions.open({ sources: ['cli'] });
  const attributes = { tool_use_id: 'toolu_1', tool_name: 'Bash' };
  session.receive(
    logsOf(
      log('user_prompt', { prompt: 'hi' }),
      log('tool_result', { ...attributes, success: 'true', duration_ms: '1' }),
    ),
  );
  // With the first of them there is all that a call waits for; the second says when its permission had been given.
  session.receive(
    spansOf(
      span({ name: 'claude_code.tool', spanId: TOOL, parentSpanId: TURN, attributes }),
      span({
        name: 'claude_code.tool.execution',
        spanId: 'cccccccccccccccc',
        parentSpanId: TOOL,
        attributes,
        startedAt: START + 400_000n,
      }),
    ),
  );
  session.end();
  await sessions.close();
  expect(sink.spans.find(({ kind }) => kind === 'tool')).toMatchObject({
    toolName: 'Bash',
    startedAt: START,
    executionStartedAt: START + 400_000n,
  });
});
