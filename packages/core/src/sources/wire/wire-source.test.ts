import { describe, expect, test } from 'vitest';
import type { WireExchange, WireRequest } from '../../loopback/wire/wire-exchange.ts';
import type { CallPassed, Observation } from '../../model/observation.ts';
import { WireSource } from './wire-source.ts';

type Parts = Partial<Omit<WireExchange, 'request'>> & { readonly request?: Partial<WireRequest> };

let number = 0;

function exchange({ request, ...parts }: Parts): WireExchange {
  number += 1;
  return {
    token: 't',
    number,
    end: 'complete',
    startedAt: 1_000 * number,
    endedAt: 1_000 * number + 500,
    gaps: [],
    ...parts,
    request: { model: 'm', purpose: 'turn', messages: [], isFirst: false, isRepeated: false, ...request },
  };
}

function seen(...parts: readonly Parts[]): Observation[] {
  const observed: Observation[] = [];
  const source = new WireSource({ observe: (observation) => void observed.push(observation) });
  for (const part of parts) source.receive(exchange(part));
  return observed;
}

const answer = {
  messageId: 'msg_1',
  model: 'm-1',
  blocks: [],
  usage: { input_tokens: 5, output_tokens: 7 },
  stopReason: 'end_turn',
  isStream: true,
  isWhole: true,
};
const overloaded = { status: 529, error: { type: 'overloaded_error', message: 'Overloaded' } };
const calls = (observed: readonly Observation[]): CallPassed[] => observed.filter((one) => one.type === 'call-passed');

describe('attempts', () => {
  test('that failed before the same was answered are retries of one call', () => {
    const [first, second, third] = calls(
      seen(
        { ...overloaded, requestId: 'req_1' },
        { ...overloaded, request: { isRepeated: true } },
        { requestId: 'req_3', answer, request: { isRepeated: true } },
      ),
    );
    expect(first).toMatchObject({ call: { requestId: 'req_1' }, error: overloaded.error, retries: [], replaces: [] });
    expect(second).toMatchObject({ call: { unnamed: /^w:/ }, replaces: [{ requestId: 'req_1' }] } as object);
    expect(third).toMatchObject({
      call: { requestId: 'req_3', messageId: 'msg_1' },
      replaces: [{ requestId: 'req_1' }, second?.call],
      startedAt: first?.startedAt,
      usage: { inputTokens: 5, outputTokens: 7 },
      retries: [
        { name: 'retry', attributes: { attempt: 1, status_code: 529, error: 'overloaded_error', request_id: 'req_1' } },
        { name: 'retry', attributes: { attempt: 2, status_code: 529, error: 'overloaded_error' } },
      ],
    });
  });

  test('of another agent, purpose or model are none of them', () => {
    const again = { request: { isRepeated: true }, answer } as const;
    const observed = seen(
      { ...overloaded, requestId: 'req_1' },
      { ...again, agentId: 'a1' },
      { ...again, request: { isRepeated: true, purpose: 'title' } },
      { ...again, request: { isRepeated: true, model: 'another' } },
    );
    expect(calls(observed).flatMap(({ replaces }) => replaces)).toEqual([]);
  });

  test('that were cut say so, and have no figures', () => {
    const [call] = calls(
      seen({ end: 'cut', requestId: 'req_1', answer: { ...answer, usage: undefined, isWhole: false } }),
    );
    expect(call).toMatchObject({ wasCut: true });
    expect(call).not.toHaveProperty('usage');
    expect(call).not.toHaveProperty('error');
  });

  test('that never reached the API name what was wrong', () => {
    const [call] = calls(seen({ end: 'unreachable', failure: 'ECONNREFUSED' }));
    expect(call).toMatchObject({ error: { type: 'ECONNREFUSED' } });
  });
});

test('input is what is new, without the model’s own words; of a first request everything', () => {
  const messages = [
    { role: 'user', content: 'q' },
    { role: 'assistant', content: [{ type: 'text', text: 'a' }] },
    { role: 'system', content: 's' },
    { role: 'chorus', content: 7 },
  ];
  const roles = calls(seen({ request: { messages, isFirst: true }, answer }, { request: { messages }, answer })).map(
    ({ input }) => input.map(({ role }) => role),
  );
  expect(roles).toEqual([
    ['user', 'assistant', 'system', 'user'],
    ['user', 'system', 'user'],
  ]);
});

test('instructions are those for the model; the note to whoever bills is none', () => {
  const system = [
    { type: 'text', text: 'x-anthropic-billing-header: cc_version=2' },
    { type: 'text', text: 'You are an agent.' },
  ];
  const tools = [{ name: 'Bash', description: 'runs', input_schema: { type: 'object' } }, { type: 'web_search_1' }, 7];
  const [call] = calls(seen({ request: { system, tools }, answer }));
  expect(call?.systemInstructions).toEqual(['You are an agent.']);
  expect(call?.toolDefinitions).toEqual([
    { name: 'Bash', description: 'runs', inputSchema: { type: 'object' } },
    { name: 'web_search_1' },
  ]);
});

test('what could not be read is an issue of the call, and counted', () => {
  const observed: Observation[] = [];
  const source = new WireSource({ observe: (observation) => void observed.push(observation) });
  source.receive(exchange({ gaps: ['request'], request: { unreadable: 'garbage' }, answer }));
  expect(calls(observed)[0]).toMatchObject({
    gaps: [{ code: 'truncated' }],
    input: [{ role: 'user', content: [{ type: 'other', raw: 'garbage' }] }],
  });
  expect(source.counters).toEqual({ exchanges: 1, withGaps: 1 });
});
