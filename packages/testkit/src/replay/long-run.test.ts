import { expect, test } from 'vitest';
import { Assembler } from '../../../core/src/assemble/assembler.ts';
import { randomIds } from '../../../core/src/model/ids.ts';
import { unixNanoFromMs } from '../../../core/src/model/time.ts';
import { CliTelemetrySource } from '../../../core/src/sources/cli-telemetry/cli-telemetry.ts';
import { MessageReader } from '../../../core/src/sources/sdk/message-reader.ts';
import type { OtlpAttributes, OtlpLog, OtlpRequest, OtlpSpan } from '../../../core/src/otlp/records.ts';

const TURNS = 2_000;
const EPOCH_MS = 1_795_249_759_000;
const at = (ms: number): bigint => unixNanoFromMs(EPOCH_MS + ms);

/** One turn: a call that asks for a tool, the tool, a call that answers. */
function messagesOf(turn: number): readonly object[] {
  const assistant = (call: number, content: object): object => ({
    type: 'assistant',
    uuid: `a${turn}-${call}`,
    request_id: `req_${turn}_${call}`,
    parent_tool_use_id: null,
    message: { id: `msg_${turn}_${call}`, model: 'claude-sonnet-4-5', content: [content], stop_reason: null },
  });
  const result = { type: 'tool_result', tool_use_id: `toolu_${turn}`, content: 'x'.repeat(1_000) };
  const usage = {
    m: { inputTokens: 20, outputTokens: 10, cacheReadInputTokens: 0, cacheCreationInputTokens: 0, costUSD: 0.02 },
  };
  return [
    { type: 'system', subtype: 'init', uuid: `i${turn}`, session_id: 's', model: 'claude-sonnet-4-5' },
    assistant(1, { type: 'tool_use', id: `toolu_${turn}`, name: 'Bash', input: {} }),
    { type: 'user', uuid: `u${turn}`, parent_tool_use_id: null, message: { role: 'user', content: [result] } },
    assistant(2, { type: 'text', text: 'y'.repeat(1_000) }),
    { type: 'result', uuid: `r${turn}`, subtype: 'success', is_error: false, model_usage_since_last_result: usage },
  ];
}

function telemetryOf(turn: number): readonly OtlpRequest[] {
  const base = turn * 100;
  const spanId = (name: string): string => `${name}-${turn}`;
  const span = (name: string, own: string, attributes: OtlpAttributes): OtlpSpan => ({
    traceId: 't',
    spanId: spanId(own),
    ...(own === 'turn' ? {} : { parentSpanId: spanId('turn') }),
    name: `claude_code.${name}`,
    kind: 1,
    startedAt: at(base),
    endedAt: at(base + 50),
    attributes,
    events: [],
    links: [],
    status: { code: 0 },
  });
  const log = (name: string, sequence: number, attributes: OtlpAttributes): OtlpLog => ({
    at: at(base + 50),
    spanId: spanId('turn'),
    attributes: { 'event.name': name, 'event.sequence': turn * 10 + sequence, ...attributes },
  });
  const call = (index: number): OtlpAttributes => ({
    request_id: `req_${turn}_${index}`,
    model: 'm',
    input_tokens: 10,
    output_tokens: 5,
    cost_usd: 0.01,
  });
  const group = <R>(records: readonly R[]) => [{ resource: {}, scope: { name: 'x' }, records }];
  return [
    {
      signal: 'logs',
      groups: group([log('user_prompt', 1, {}), log('api_request', 2, call(1)), log('api_request', 3, call(2))]),
    },
    {
      signal: 'traces',
      groups: group([
        span('llm_request', 'c1', call(1)),
        span('tool', 'tool', { tool_use_id: `toolu_${turn}` }),
        span('llm_request', 'c2', call(2)),
        span('interaction', 'turn', { 'interaction.sequence': turn + 1 }),
      ]),
    },
  ];
}

test('a conversation of 2,000 turns holds no more than one of two turns', () => {
  let nowMs = EPOCH_MS;
  let spans = 0;
  const clock = { now: () => unixNanoFromMs(nowMs) };
  const assembler = new Assembler({
    output: { start: () => undefined, end: () => void (spans += 1), turnEnd: () => undefined },
    ids: randomIds(),
    clock,
    expects: { sdk: true, cli: true },
    agentName: 'main',
    attributes: {},
    settleMs: 2_000,
    isResumed: false,
  });
  const reader = new MessageReader({ observe: (seen) => assembler.observe(seen), clock, readHooks: false });
  const cli = new CliTelemetrySource({
    observe: (seen) => assembler.observe(seen),
    askedParty: 'host',
    hasStream: true,
    showHooks: false,
  });
  const held: number[] = [];
  for (let turn = 0; turn < TURNS; turn += 1) {
    nowMs = EPOCH_MS + turn * 100;
    for (const message of messagesOf(turn)) reader.read(message);
    for (const request of telemetryOf(turn)) cli.receive(request);
    held.push(assembler.held);
  }
  expect(Math.max(...held)).toBe(0);
  // A turn, two calls and a tool each, none of them waited for in vain.
  expect(spans).toBe(TURNS * 4);
  expect(assembler.counters).toEqual({ late: 0, duplicate: 0, unplaced: 0 });
});
