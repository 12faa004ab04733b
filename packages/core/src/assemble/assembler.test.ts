import { describe, expect, test } from 'vitest';
import { randomIds } from '../model/ids.ts';
import type { AnswerSeen, CallMeasured, Observation, TurnResult } from '../model/observation.ts';
import type { AgentSpan, LlmSpan, Span } from '../model/span.ts';
import { Assembler } from './assembler.ts';
import type { AssemblerOptions } from './run.ts';

function setUp(options: Partial<AssemblerOptions> = {}) {
  const spans: Span[] = [];
  let now = 1_000_000_000n;
  const assembler = new Assembler({
    output: { start: () => undefined, end: (span) => void spans.push(span), turnEnd: () => undefined },
    ids: randomIds(),
    clock: { now: () => now },
    expects: { sdk: true, cli: false },
    agentName: 'claude',
    attributes: {},
    settleMs: 2_000,
    isResumed: false,
    ...options,
  });
  return {
    assembler,
    spans,
    observe: (...observations: readonly Observation[]) => observations.forEach((one) => assembler.observe(one)),
    wait: (ms: number) => void (now += BigInt(ms) * 1_000_000n),
    calls: () => spans.filter((span): span is LlmSpan => span.kind === 'llm'),
    agents: () => spans.filter((span): span is AgentSpan => span.kind === 'agent'),
  };
}

let ids = 0;
const seen = <T extends object>(rest: T): T & { id: string; source: 'sdk'; at: bigint } => ({
  id: `id-${(ids += 1)}`,
  source: 'sdk',
  at: 1_000_000_000n,
  ...rest,
});

const start = (turn: number, text: string): Observation =>
  seen({ type: 'turn-start', turn, prompt: { role: 'user', content: [{ type: 'text', text }] } } as const);

const answer = (turn: number, messageId: string, requestId: string): AnswerSeen =>
  seen({
    type: 'answer',
    agent: { turn },
    call: { messageId, requestId },
    model: 'm',
    blocks: [{ type: 'text', text: messageId }],
  } as const);

const result = (turn: number, rest: Partial<TurnResult> = {}): TurnResult =>
  seen({ type: 'turn-result', turn, subtype: 'success', isError: false, permissionDenials: 0, ...rest } as const);

const measured = (part: 'span' | 'log', requestId: string, rest: Partial<CallMeasured> = {}): CallMeasured => ({
  ...seen({
    type: 'call-measured',
    part,
    agent: { turn: 0 },
    call: { requestId },
    model: 'm',
    purpose: 'turn',
  } as const),
  source: 'cli',
  ...rest,
});

const words = (span: LlmSpan | undefined): string[] =>
  (span?.input ?? []).flatMap(({ content }) => content.flatMap((block) => (block.type === 'text' ? [block.text] : [])));

describe('what a failed call carried', () => {
  test('is carried again by the next', () => {
    const { observe, calls } = setUp();
    const error = { type: 'overloaded_error', message: 'Overloaded' };
    observe(
      start(0, 'hi'),
      seen({ type: 'call-failed', agent: { turn: 0 }, call: { requestId: 'req_1' }, error } as const),
      answer(0, 'msg_2', 'req_2'),
      result(0),
    );
    expect(calls().map((call) => [call.status, words(call)])).toEqual([
      ['error', ['hi']],
      ['ok', ['hi']],
    ]);
  });
});

describe('cumulative totals', () => {
  const cumulative = (outputTokens: number, costUsd: number): Partial<TurnResult> => ({
    cumulative: { usage: { outputTokens }, costUsd },
  });

  test.each([
    [
      'a fresh session',
      false,
      [
        { usage: { outputTokens: 10 }, costUsd: 1 },
        { usage: { outputTokens: 5 }, costUsd: 2 },
      ],
    ],
    ['a resumed session, whose first say nothing', true, [undefined, { usage: { outputTokens: 5 }, costUsd: 2 }]],
  ])('of %s are what came since the result before', (_, isResumed, totals) => {
    const { observe, agents } = setUp({ isResumed });
    observe(start(0, 'a'), result(0, cumulative(10, 1)), start(1, 'b'), result(1, cumulative(15, 3)));
    expect(agents().map((agent) => agent.totals)).toEqual(totals);
  });
});

describe('a turn of which telemetry alone tells, and whose process was stopped', () => {
  const prompt = seen({ type: 'turn-start', turn: 0, source: 'cli' } as const);
  const command = seen({ type: 'turn-start', turn: 0, source: 'cli', trigger: 'command' } as const);
  const over = seen({
    type: 'turn-measured',
    source: 'cli',
    turn: 0,
    cliSpanId: '1'.repeat(16),
    startedAt: 0n,
  } as const);
  const call = (stopReason: string, rest: Partial<CallMeasured> = {}): readonly Observation[] => [
    measured('span', 'req_1', { stopReason, ...rest }),
    measured('log', 'req_1', rest),
  ];
  const failed = call('end_turn', { error: { type: 'api_error', message: 'Overloaded' } });

  test.each<[string, readonly Observation[], readonly ('interrupt' | 'abort' | 'process-gone')[], string]>([
    ['before its first answer', [prompt, over], ['abort'], 'aborted'],
    ['before its first answer, at the keyboard', [prompt, over], ['interrupt', 'abort'], 'interrupted'],
    ['in a tool', [prompt, ...call('tool_use'), over], ['abort'], 'aborted'],
    ['in a tool, at the keyboard', [prompt, ...call('tool_use'), over], ['interrupt', 'abort'], 'interrupted'],
    ['after its last word', [prompt, ...call('end_turn'), over], ['abort'], 'completed'],
    ['after a command that asked no model', [command, over], ['abort'], 'completed'],
    ['after its last call had failed', [prompt, ...failed, over], ['abort'], 'api_error'],
    ['at once, so that nobody told of its end', [prompt], ['abort'], 'aborted'],
    ['by a fault of its own', [prompt], ['process-gone'], 'crashed'],
    ['in its own time', [prompt, over], ['process-gone'], 'completed'],
  ])('%s', (_name, told, ends, outcome) => {
    const { assembler, observe, agents } = setUp({ expects: { sdk: false, cli: true } });
    observe(...told, ...ends.map((by) => seen({ type: 'query-end', by } as const)));
    assembler.end();
    expect(agents().map((agent) => agent.outcome)).toEqual([outcome]);
  });
});

describe('a turn of telemetry, of which a session file tells too', () => {
  const prompt = seen({ type: 'turn-start', turn: 0, source: 'cli' } as const);
  const turn = { source: 'cli', turn: 0, cliSpanId: '1'.repeat(16), startedAt: 0n } as const;
  const over = seen({ type: 'turn-measured', ...turn } as const);
  const asking: AnswerSeen = {
    ...answer(0, 'msg_1', 'req_1'),
    source: 'transcript',
    blocks: [{ type: 'tool_use', id: 'toolu_1', name: 'Bash', input: {} }],
  };
  const refused = seen({
    type: 'tool-result',
    source: 'transcript',
    agent: { turn: 0 },
    toolCallId: 'toolu_1',
    output: 'No.',
    isError: true,
    denied: { decidedBy: 'user' },
  } as const);
  const denial = seen({
    type: 'tool-measured',
    part: 'span',
    source: 'cli',
    agent: { turn: 0 },
    toolCallId: 'toolu_1',
    toolName: 'Bash',
  } as const);
  const tools = (spans: readonly Span[]): readonly unknown[] =>
    spans.flatMap((span) => (span.kind === 'tool' ? [span.denied?.decidedBy] : []));

  test('has the result of a tool that telemetry is silent about', () => {
    const { assembler, observe, spans } = setUp({ expects: { sdk: false, cli: true } });
    observe(prompt, over, asking, refused);
    assembler.end();
    expect(tools(spans)).toEqual(['user']);
  });

  test('has a tool once that telemetry has ended before', () => {
    const { assembler, observe, spans } = setUp({ expects: { sdk: false, cli: true } });
    observe(prompt, denial, over);
    observe(
      seen({
        type: 'permission',
        source: 'cli',
        toolCallId: 'toolu_1',
        decision: 'deny',
        decidedBy: 'rule',
        wasAsked: false,
      } as const),
    );
    observe(asking, refused);
    assembler.end();
    expect(tools(spans)).toEqual(['rule']);
  });

  test('was interrupted if the file says so', () => {
    const { assembler, observe, agents } = setUp({ expects: { sdk: false, cli: true } });
    observe(prompt, seen({ type: 'query-end', source: 'transcript', by: 'interrupt' } as const), over);
    observe(seen({ type: 'query-end', source: 'cli', by: 'process-gone' } as const));
    assembler.end();
    expect(agents().map(({ outcome }) => outcome)).toEqual(['interrupted']);
  });
});

describe('an observation', () => {
  test('that is delivered twice counts once', () => {
    const { assembler, observe, calls } = setUp();
    const once = answer(0, 'msg_1', 'req_1');
    observe(start(0, 'hi'), once, once, result(0));
    expect(calls()[0]?.output?.[0]?.content).toHaveLength(1);
    expect(assembler.counters).toEqual({ late: 0, duplicate: 1, unplaced: 0 });
  });

  test('of blocks of one answer is told from a second delivery, whatever comes between', () => {
    const { assembler, observe, calls } = setUp({ expects: { sdk: true, cli: true } });
    const [first, second] = [answer(0, 'msg_1', 'req_1'), answer(0, 'msg_1', 'req_1')];
    observe(start(0, 'hi'), first, second, answer(0, 'msg_2', 'req_2'), first, second);
    assembler.end();
    expect(calls().map((call) => call.output?.[0]?.content.length)).toEqual([2, 1]);
    expect(assembler.counters.duplicate).toBe(2);
  });

  test('of a tool result that is delivered twice leaves the first', () => {
    const { assembler, observe, spans } = setUp({ expects: { sdk: true, cli: true } });
    const once = seen({
      type: 'tool-result',
      agent: { turn: 0 },
      toolCallId: 'toolu_1',
      output: 'first',
      isError: false,
    } as const);
    observe(start(0, 'hi'), once, { ...once, output: 'second' });
    assembler.end();
    expect(spans.flatMap((span) => (span.kind === 'tool' ? [span.output] : []))).toEqual(['first']);
    expect(assembler.counters.duplicate).toBe(1);
  });

  test('of a tool result that comes again when its call has ended tells the model nothing twice', () => {
    const { assembler, observe, calls } = setUp();
    const asked = { type: 'tool_use', id: 'toolu_1', name: 'Bash', input: {} } as const;
    const once = seen({
      type: 'tool-result',
      agent: { turn: 0 },
      toolCallId: 'toolu_1',
      output: 'ok',
      isError: false,
      message: { role: 'user', content: [{ type: 'text', text: 'ok' }] },
    } as const);
    observe(start(0, 'hi'), { ...answer(0, 'msg_1', 'req_1'), blocks: [asked] }, once, once);
    observe(answer(0, 'msg_2', 'req_2'), once, answer(0, 'msg_3', 'req_3'), result(0));
    expect(calls().map(words)).toEqual([['hi'], ['ok'], []]);
    expect(assembler.counters).toEqual({ late: 0, duplicate: 2, unplaced: 0 });
  });

  test('of a landmark of a stream that comes twice counts once', () => {
    const { assembler, observe, calls } = setUp();
    const landmark = (phase: 'start' | 'delta' | 'end', outputTokens: number) =>
      seen({
        type: 'stream',
        agent: { turn: 0 },
        call: { messageId: 'msg_1' },
        phase,
        usage: { outputTokens },
      } as const);
    const delta = landmark('delta', 5);
    observe(start(0, 'hi'), landmark('start', 1), delta, delta, landmark('end', 5), result(0));
    expect(calls()).toMatchObject([{ usage: { outputTokens: 5 } }]);
    expect(assembler.counters.duplicate).toBe(1);
  });

  test('of an event in a turn that has ended is late, and changes no span that was handed out', () => {
    const { assembler, observe, agents } = setUp();
    const event = { name: 'compaction', at: 1_000_000_000n, attributes: {} } as const;
    observe(start(0, 'hi'), seen({ type: 'event', agent: { turn: 0 }, event } as const), result(0));
    observe(seen({ type: 'event', agent: { turn: 0 }, event } as const));
    expect(agents()[0]?.events).toHaveLength(1);
    expect(assembler.counters.late).toBe(1);
  });

  test('of a turn that has ended is late', () => {
    const { assembler, observe, spans } = setUp();
    observe(start(0, 'hi'), result(0), answer(0, 'msg_1', 'req_1'));
    expect(assembler.counters.late).toBe(1);
    expect(spans).toHaveLength(1);
  });

  test('that never finds its place is counted when all ends', () => {
    const { assembler, observe } = setUp({ expects: { sdk: true, cli: true } });
    observe(start(0, 'hi'), result(0), measured('log', 'req_9', { agent: {} }));
    assembler.end();
    expect(assembler.counters.unplaced).toBeGreaterThan(0);
    expect(assembler.held).toBe(0);
  });
});

describe('a call that both sources tell of', () => {
  const cli = { sdk: true, cli: true };

  test('ends when its span and its price are there, in whatever order', () => {
    const { observe, calls } = setUp({ expects: cli });
    observe(start(0, 'hi'), measured('log', 'req_1', { costUsd: 0.5, usage: { outputTokens: 5 } }));
    observe(answer(0, 'msg_1', 'req_1'), result(0));
    expect(calls()).toEqual([]);
    observe(measured('span', 'req_1', { startedAt: 5n, endedAt: 6n, usage: { outputTokens: 5 } }));
    expect(calls()).toMatchObject([
      { costUsd: 0.5, startedAt: 5n, endedAt: 6n, messageId: 'msg_1', seenBy: ['cli', 'sdk'] },
    ]);
  });

  test('is ended by a sweep alone when it has waited long enough, never by what comes', () => {
    const { assembler, observe, calls, wait } = setUp({ expects: cli });
    observe(start(0, 'hi'), answer(0, 'msg_1', 'req_1'), result(0));
    expect(assembler.nextDeadlineMs()).toBe(2_000);
    assembler.sweep();
    expect(calls()).toEqual([]);
    wait(2_000);
    observe(measured('log', 'req_1', { costUsd: 0.5 }));
    expect(calls()).toEqual([]);
    assembler.sweep();
    expect(calls()).toMatchObject([{ costUsd: 0.5 }]);
  });

  test('says where they disagree', () => {
    const { observe, calls } = setUp({ expects: cli });
    observe(
      start(0, 'hi'),
      { ...answer(0, 'msg_1', 'req_1'), usage: { outputTokens: 4 }, stopReason: 'end_turn' },
      result(0),
      measured('log', 'req_1'),
      measured('span', 'req_1', { startedAt: 5n, endedAt: 6n, usage: { outputTokens: 5 } }),
    );
    expect(calls()[0]?.usage?.outputTokens).toBe(5);
    expect(calls()[0]?.issues).toMatchObject([
      { code: 'conflict', field: 'outputTokens', values: { cli: 5, partials: 4 } },
    ]);
  });
});

test('the input of a tool is what a hook saw run, where a permission handler had changed what was asked for', () => {
  const { observe, spans } = setUp();
  const asked = { type: 'tool_use', id: 'toolu_1', name: 'Bash', input: { command: 'rm a' } } as const;
  const hook = { toolCallId: 'toolu_1', startedAt: 1_000_000_000n, endedAt: 1_000_000_001n };
  observe(
    start(0, 'hi'),
    { ...answer(0, 'msg_1', 'req_1'), blocks: [asked] },
    {
      ...seen({ type: 'tool-measured', part: 'hook', agent: { turn: 0 }, ...hook } as const),
      input: { command: 'ls' },
    },
    seen({ type: 'tool-result', agent: { turn: 0 }, toolCallId: 'toolu_1', output: 'ok', isError: false } as const),
    result(0),
  );
  expect(spans.find(({ kind }) => kind === 'tool')).toMatchObject({ input: { command: 'ls' } });
});

test('a tool of which only its id is known is told from one of another session', () => {
  const keys = ['s1', 's2'].map((sessionId) => {
    const { assembler, observe, spans } = setUp({ expects: { sdk: false, cli: true } });
    const tool = { toolCallId: 'call_1', toolName: 'Bash', startedAt: 1n, endedAt: 2n } as const;
    observe(start(0, 'hi'), seen({ type: 'session', turn: 0, sessionId } as const), {
      ...seen({ type: 'tool-measured', part: 'span', agent: { turn: 0 }, ...tool } as const),
      source: 'cli',
    });
    assembler.end();
    return spans.find(({ kind }) => kind === 'tool')?.key;
  });
  expect(keys).toEqual(['tool:s1/call_1', 'tool:s2/call_1']);
});

describe('a query of which the CLI never spoke', () => {
  const thrown = seen({ type: 'query-end', by: 'error', error: { type: 'Error', message: 'spawn ENOENT' } } as const);
  const codes = (agents: readonly AgentSpan[]): string[] =>
    agents.flatMap(({ issues }) => issues.map(({ code }) => code));

  test('is not called silent where its process never began', () => {
    const { assembler, observe, agents } = setUp({ expects: { sdk: true, cli: true } });
    observe(start(0, 'hi'), thrown);
    assembler.end();
    expect(agents()).toMatchObject([{ outcome: 'crashed', error: { message: 'spawn ENOENT' } }]);
    expect(codes(agents())).not.toContain('telemetry_silent');
  });

  test('is called silent where it began and died later', () => {
    const { assembler, observe, agents } = setUp({ expects: { sdk: true, cli: true } });
    observe(start(0, 'hi'), seen({ type: 'session', turn: 0, sessionId: 's' } as const), thrown);
    assembler.end();
    expect(codes(agents())).toContain('telemetry_silent');
  });
});
