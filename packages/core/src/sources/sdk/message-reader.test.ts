import { describe, expect, test } from 'vitest';
import type { Observation, TurnStarted } from '../../model/observation.ts';
import { MessageReader } from './message-reader.ts';

function reader(): { read: MessageReader; seen: Observation[]; turns: () => string[]; at: (ms: number) => bigint } {
  const seen: Observation[] = [];
  let now = 0n;
  const at = (ms: number): bigint => (now = BigInt(ms) * 1_000_000n);
  const read = new MessageReader({ observe: (one) => seen.push(one), clock: { now: () => now }, readHooks: false });
  return { read, seen, at, turns: () => seen.flatMap((one) => (one.type === 'turn-start' ? [turnText(one)] : [])) };
}

function turnText({ turn, prompt, trigger }: TurnStarted): string {
  const texts = (prompt?.content ?? []).map((block) => (block.type === 'text' ? block.text : block.type));
  return [`${turn}:`, ...(trigger === undefined ? [] : [trigger]), ...texts].join(' ');
}

const user = (text: string, uuid?: string): object => ({
  type: 'user',
  ...(uuid === undefined ? {} : { uuid }),
  message: { role: 'user', content: text },
});
const init = (...uuids: string[]): object => ({
  type: 'system',
  subtype: 'init',
  session_id: 's',
  ...(uuids.length === 0 ? {} : { user_message_uuids: uuids }),
});
const result = { type: 'result', subtype: 'success', is_error: false, num_turns: 1, session_id: 's' };
const answer = (parent: string | null = null): object => ({
  type: 'assistant',
  parent_tool_use_id: parent,
  request_id: 'req_1',
  message: { id: 'msg_1', model: 'm', content: [{ type: 'text', text: 'hi' }] },
});

describe('turns', () => {
  test('begin with the prompt that query() was given', () => {
    const { read, turns } = reader();
    read.promptGiven('hello');
    for (const message of [init(), answer(), result]) read.read(message);
    expect(turns()).toEqual(['0: hello']);
    expect(read.turn).toBe(0);
  });

  test('begin when the SDK takes a prompt, in time before the session says a word', () => {
    const { read, seen, at } = reader();
    at(5);
    read.promptTaken(user('hello', 'u1'));
    at(900);
    read.read(init());
    expect(seen[0]).toMatchObject({ type: 'turn-start', turn: 0, at: 5_000_000n, userMessageId: 'u1' });
  });

  test('take all prompts that were sent while the one before ran, for the CLI merges them', () => {
    const { read, turns } = reader();
    read.promptTaken(user('ONE'));
    read.read(init());
    read.promptTaken(user('TWO'));
    read.promptTaken(user('THREE'));
    for (const message of [result, init(), answer(), result]) read.read(message);
    read.read(init());
    expect(turns()).toEqual(['0: ONE', '1: TWO THREE', '2: task_notification']);
  });

  test('take only the prompts that they name, where they name any', () => {
    const { read, turns } = reader();
    read.promptTaken(user('ONE', 'a'));
    read.read(init('a'));
    read.promptTaken(user('TWO', 'b'));
    read.promptTaken(user('THREE', 'c'));
    for (const message of [result, init('c'), result, init('b'), result]) read.read(message);
    expect(turns()).toEqual(['0: ONE', '1: THREE', '2: TWO']);
  });

  test('get a steering prompt when the CLI says that it joined, at the time at which it was sent', () => {
    const { read, turns, seen, at } = reader();
    at(1);
    read.promptTaken(user('use bash'));
    read.read(init());
    at(1_500);
    read.promptTaken(user('STEER'));
    read.promptSteered({ turn: 0, at: 2_000_000_000n });
    at(6_000);
    read.read(result);
    read.promptTaken(user('LATER'));
    read.read(init());
    expect(turns()).toEqual(['0: use bash', '0: STEER', '1: LATER']);
    expect(seen.filter(({ type }) => type === 'turn-start')[1]?.at).toBe(1_500_000_000n);
    expect(new Set(seen.map(({ type, id }) => `${type} ${id}`)).size).toBe(seen.length);
  });

  test('get no prompt that was sent after the one that joined', () => {
    const { read, turns, at } = reader();
    read.promptTaken(user('ONE'));
    at(3_000);
    read.promptTaken(user('TWO'));
    read.promptSteered({ turn: 0, at: 2_000_000_000n });
    expect(turns()).toEqual(['0: ONE']);
  });

  test('begin with the first word of the main loop, not with that of a subagent', () => {
    const { read, turns } = reader();
    read.promptGiven('hello');
    read.read(result);
    read.read(answer('toolu_1'));
    expect(turns()).toEqual(['0: hello']);
    read.read(answer());
    expect(turns()).toEqual(['0: hello', '1: task_notification']);
  });

  test('begin with an init when the one before has said its last words, and results come in their order', () => {
    const { read, seen, turns } = reader();
    read.promptGiven('launch');
    const woken = { ...result, origin: { kind: 'task-notification' } };
    for (const message of [init(), answer(), result, init(), answer(), init(), answer(), woken, woken])
      read.read(message);
    // A result says once more why its turn began.
    expect([...new Set(turns())]).toEqual(['0: launch', '1: task_notification', '2: task_notification']);
    const spoken = seen.flatMap((one) => (one.type === 'answer' ? [one.agent.turn] : []));
    const ended = seen.flatMap((one) => (one.type === 'turn-result' ? [one.turn] : []));
    expect([spoken, ended]).toEqual([
      [0, 1, 2],
      [0, 1, 2],
    ]);
  });

  test('go on with an init while a tool is asked for', () => {
    const { read, turns } = reader();
    read.promptGiven('hello');
    const asking = {
      type: 'assistant',
      parent_tool_use_id: null,
      message: { id: 'm', content: [{ type: 'tool_use', id: 't' }] },
    };
    for (const message of [init(), asking, init(), result]) read.read(message);
    expect(turns()).toEqual(['0: hello']);
  });

  test('begin with a result, where that is all there is', () => {
    const { read, turns } = reader();
    read.read(result);
    expect(turns()).toEqual(['0:']);
  });
});

describe('messages', () => {
  test.each([undefined, null, 5, 'text', [], {}, { type: 'unheard_of' }, { type: 5 }, { type: 'assistant' }])(
    '%o says nothing and harms nothing',
    (message) => {
      const { read, seen } = reader();
      read.promptGiven('hello');
      read.read(message);
      expect(seen).toHaveLength(1);
    },
  );

  test('without a uuid get ids of their own', () => {
    const { read, seen } = reader();
    read.promptGiven('hello');
    read.read(answer());
    read.read(answer());
    expect(new Set(seen.map(({ id }) => id)).size).toBe(3);
  });

  test('carry the CLI’s own time where it stamps them', () => {
    const { read, seen } = reader();
    read.promptGiven('hello');
    read.read({ ...answer(), timestamp: '1970-01-01T00:00:02.000Z' });
    expect(seen[1]?.at).toBe(2_000_000_000n);
    read.read({ ...answer(), timestamp: 'yesterday' });
    expect(seen[2]?.at).toBe(0n);
  });

  test('of a subagent name the call that asked for it, and the agent', () => {
    const { read, seen } = reader();
    read.promptGiven('hello');
    read.read({ ...answer('toolu_1'), agent_id: 'a1' });
    expect(seen[1]).toMatchObject({ type: 'answer', agent: { toolCallId: 'toolu_1', agentId: 'a1' } });
  });

  test('that are replayed are not told again', () => {
    const { read, seen } = reader();
    read.promptGiven('hello');
    read.read({ ...user('hello'), isReplay: true });
    expect(seen).toHaveLength(1);
  });
});

describe('a tool that is over without an answer', () => {
  const REJECTED = 'User rejected tool use';
  const REFUSED = { decision: 'reject', source: 'user_reject' };
  test.each([
    ['was cut by an interrupt', REJECTED, { non_execution_kind: 'user-rejected' }, { errorType: 'cancelled' }],
    ['of a subagent was cut so too, though nothing is said of it', REJECTED, undefined, { errorType: 'cancelled' }],
    [
      'was refused by somebody',
      'Error: User said no',
      { non_execution_kind: 'permission-rule', permission_decision: REFUSED },
      { denied: { decidedBy: 'host' } },
    ],
    ['of a subagent failed', 'Error: no such file', undefined, {}],
  ])('%s', (_, told, meta, expected) => {
    const { read, seen } = reader();
    read.promptGiven('hello');
    read.read(init());
    read.read({
      type: 'user',
      parent_tool_use_id: null,
      message: {
        role: 'user',
        content: [{ type: 'tool_result', tool_use_id: 'toolu_1', content: 'STOP', is_error: true }],
      },
      tool_use_result: told,
      ...(meta === undefined ? {} : { tool_result_meta: [{ id: 'toolu_1', ...meta }] }),
    });
    const result = seen.find(({ type }) => type === 'tool-result');
    const { errorType, denied } = (result ?? {}) as { readonly errorType?: string; readonly denied?: object };
    expect({ ...(errorType && { errorType }), ...(denied && { denied }) }).toEqual(expected);
  });
});

describe('partial messages', () => {
  const event = (type: string, rest: object): object => ({
    type: 'stream_event',
    uuid: `u:${type}`,
    event: { type, ...rest },
  });
  const start = event('message_start', { message: { id: 'msg_1', model: 'm', usage: { output_tokens: 1 } } });
  const delta = (stopReason: string | null): object => ({
    ...event('message_delta', { delta: { stop_reason: stopReason }, usage: { output_tokens: 7 } }),
    api_message_id: 'msg_1',
  });

  test('tell of an answer where it starts and ends, and nothing of its pieces', () => {
    const { read, seen } = reader();
    read.promptGiven('hello');
    for (const message of [start, event('content_block_delta', { delta: { text: 'a' } }), delta('end_turn')])
      read.read(message);
    expect(seen.slice(1)).toMatchObject([
      { type: 'stream', id: 'u:message_start', phase: 'start', model: 'm', usage: { outputTokens: 1 } },
      {
        type: 'stream',
        phase: 'delta',
        call: { messageId: 'msg_1' },
        stopReason: 'end_turn',
        usage: { outputTokens: 7 },
      },
    ]);
  });

  test('that the CLI makes up to close an answer that was cut have no final figures', () => {
    const { read, seen } = reader();
    read.promptGiven('hello');
    for (const message of [start, delta(null)]) read.read(message);
    expect(seen.slice(1).map((one) => one.type === 'stream' && one.phase)).toEqual(['start']);
  });
});
