import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import { resolveCapture } from '../capture/policy.ts';
import { randomIds } from '../model/ids.ts';
import type { AgentSpan, LlmSpan } from '../model/span.ts';
import { memorySink } from '../sinks/memory-sink.ts';
import { CliRecords, cliId, type Figures, logsOf, tracesOf } from './__fixtures__/cli-records.ts';
import { mailbox } from './__fixtures__/mailbox.ts';
import { answer, init, result, taskDone, taskStarted, toolResult, toolUse, user } from './__fixtures__/sdk-messages.ts';
import { FanOut } from './fan-out.ts';
import { Guarded } from './guard.ts';
import { QueryTrace } from './query-trace.ts';

const T0 = cliId(1);
const T1 = cliId(2);
const first: Figures = { input: 5_500, output: 55, costUsd: 0.5 };
const second: Figures = { input: 5_700, output: 12, costUsd: 0.25 };
const both = { input: 11_200, output: 67, costUsd: 0.75 };

beforeEach(() => void vi.useFakeTimers());
afterEach(() => void vi.useRealTimers());

/** A query with a mailbox in place of the loopback thread, in a time that passes when the test says so. */
function setUp(cliTelemetry: 'auto' | 'off' = 'auto') {
  const sink = memorySink();
  const box = mailbox();
  const counts = { late: 0, settled: 0 };
  const guarded = new Guarded(() => undefined);
  const clock = { now: () => BigInt(Date.now()) * 1_000_000n };
  const context = {
    fanOut: new FanOut([{ sink, policy: resolveCapture('full', { environment: {} }) }], guarded),
    loopback: box.loopback,
    cliTelemetry,
    cliContent: { prompts: false, outputs: false, toolDetails: false, toolOutputs: false },
    useHooks: false,
    agentName: 'claude',
    environment: () => ({}),
    clock,
    ids: randomIds(),
    guard: <T>(what: string, run: () => T): T | undefined => guarded.run(what, run),
    surroundings: () => ({ attributes: {} }),
    onNotReady: () => undefined,
    wire: undefined,
    onWireLeftAlone: () => undefined,
    isCliSilent: () => false,
    onLate: () => void (counts.late += 1),
    onSettled: () => void (counts.settled += 1),
  };
  const query = new QueryTrace(context, undefined, { attributes: {} });
  return {
    query,
    box,
    counts,
    guarded,
    cli: new CliRecords(clock.now),
    agents: () => sink.spans.filter((span): span is typeof span & AgentSpan => span.kind === 'agent'),
    calls: () => sink.spans.filter((span): span is typeof span & LlmSpan => span.kind === 'llm'),
  };
}

/** What each call is said to have used, by the message that answered it. */
function figuresOf(calls: readonly LlmSpan[]): Record<string, unknown> {
  return Object.fromEntries(
    calls.map(({ messageId, usage, costUsd }) => [
      messageId ?? 'none',
      { input: usage?.inputTokens, output: usage?.outputTokens, costUsd },
    ]),
  );
}

describe('calls of an API without request ids', () => {
  test('are the calls of the stream, each with its own figures, by their order', () => {
    const { query, box, cli, calls, agents } = setUp();
    query.promptGiven('hi');
    for (const message of [
      init(),
      answer('msg_1', { blocks: [toolUse('toolu_1', 'Read')] }),
      toolResult('toolu_1'),
      answer('msg_2'),
      result(both),
    ])
      query.message(message);
    box.receive(
      logsOf(cli.prompt(T0), cli.priced(T0, first), cli.priced(T0, second)),
      tracesOf(cli.call(T0, first), cli.call(T0, second), cli.interaction(0, T0)),
    );
    box.deliver();
    query.ended('done');
    query.settle();
    expect(figuresOf(calls())).toEqual({ msg_1: first, msg_2: second });
    expect(calls().flatMap(({ issues }) => issues.map(({ code }) => code))).toEqual([]);
    expect(agents()[0]).not.toHaveProperty('unattributed');
    expect(query.counters).toEqual({ late: 0, duplicate: 0, unplaced: 0, unknown: 0 });
  });

  test('of subagents that run beside each other are told apart', () => {
    const { query, box, cli, calls } = setUp();
    const [a, b, main] = [
      { input: 10, output: 1, costUsd: 0.1 },
      { input: 20, output: 2, costUsd: 0.2 },
      { input: 30, output: 3, costUsd: 0.3 },
    ];
    query.promptGiven('hi');
    for (const message of [
      init(),
      answer('msg_main', { blocks: [toolUse('toolu_a', 'Agent'), toolUse('toolu_b', 'Agent')] }),
      taskStarted('a', 'toolu_a'),
      taskStarted('b', 'toolu_b'),
      answer('msg_b', { by: 'toolu_b' }),
      answer('msg_a', { by: 'toolu_a' }),
      taskDone('a'),
      taskDone('b'),
      toolResult('toolu_a'),
      toolResult('toolu_b'),
      result(),
    ])
      query.message(message);
    const [toolA, toolB] = [cliId(10), cliId(11)];
    box.receive(
      logsOf(
        cli.prompt(T0),
        cli.priced(T0, main),
        cli.priced(toolA, a, { agent_id: 'a', query_source: 'agent:custom' }),
        cli.priced(toolB, b, { agent_id: 'b', query_source: 'agent:custom' }),
      ),
      tracesOf(
        cli.call(toolB, b, { agent_id: 'b', query_source: 'agent:custom' }),
        cli.call(toolA, a, { agent_id: 'a', query_source: 'agent:custom' }),
        cli.tool(T0, 'toolu_a', toolA),
        cli.tool(T0, 'toolu_b', toolB),
        cli.call(T0, main),
        cli.interaction(0, T0),
      ),
    );
    box.deliver();
    query.ended('done');
    query.settle();
    expect(figuresOf(calls())).toEqual({ msg_main: main, msg_a: a, msg_b: b });
  });
});

describe('telemetry that waits in the mailbox', () => {
  function busy(): ReturnType<typeof setUp> {
    const run = setUp();
    const { query, box, cli } = run;
    query.promptGiven('hi');
    for (const message of [init(), answer('msg_1', { requestId: 'req_1' }), result(first)]) query.message(message);
    box.receive(
      logsOf(cli.prompt(T0), cli.priced(T0, first, { request_id: 'req_1' })),
      tracesOf(cli.call(T0, first, { request_id: 'req_1' }), cli.interaction(0, T0)),
    );
    return run;
  }

  test('is read before anything ends for its age, however long the program was busy', () => {
    const { calls, agents } = busy();
    vi.advanceTimersByTime(60_000);
    expect(figuresOf(calls())).toEqual({ msg_1: first });
    expect(agents()[0]?.issues).toEqual([]);
  });

  test('is waited for anew after a part of it was read late', () => {
    const { query, box, cli, calls } = setUp();
    query.promptGiven('hi');
    for (const message of [init(), answer('msg_1', { requestId: 'req_1' }), result(first)]) query.message(message);
    box.receive(logsOf(cli.prompt(T0)));
    vi.setSystemTime(Date.now() + 6_000);
    vi.advanceTimersByTime(2_010);
    expect(calls()).toEqual([]);
    box.receive(
      logsOf(cli.priced(T0, first, { request_id: 'req_1' })),
      tracesOf(cli.call(T0, first, { request_id: 'req_1' }), cli.interaction(0, T0)),
    );
    vi.advanceTimersByTime(610);
    expect(figuresOf(calls())).toEqual({ msg_1: first });
  });

  test('is read before a message that comes late ends anything', () => {
    const { query, box, cli, calls } = busy();
    vi.setSystemTime(Date.now() + 60_000);
    query.promptTaken(user('more'));
    query.message(init());
    expect(calls()).toEqual([]);
    box.receive(logsOf(cli.prompt(T1)));
    query.settle();
    expect(figuresOf(calls())).toEqual({ msg_1: first });
  });

  test('that never comes ends the wait, and the turn says so', () => {
    const { query, calls, agents } = setUp();
    query.promptGiven('hi');
    for (const message of [init(), answer('msg_1', { requestId: 'req_1' }), result(first)]) query.message(message);
    expect(calls()).toEqual([]);
    vi.advanceTimersByTime(60_000);
    expect(calls()).toHaveLength(1);
    expect(agents()[0]?.issues.map(({ code }) => code)).toContain('telemetry_silent');
    expect(query.wasCliSilent).toBe(true);
  });
});

describe('a prompt that was sent while a turn ran', () => {
  test('is part of the turn that it joined', () => {
    const { query, box, cli, agents, calls } = setUp();
    query.promptTaken(user('use bash'));
    query.message(init());
    box.receive(logsOf(cli.prompt(T0)));
    box.deliver();
    query.message(answer('msg_1', { requestId: 'req_1', blocks: [toolUse('toolu_1', 'Bash')] }));
    vi.advanceTimersByTime(1_500);
    query.promptTaken(user('STEER'));
    vi.advanceTimersByTime(100);
    box.receive(logsOf(cli.prompt(T0)));
    box.deliver();
    for (const message of [toolResult('toolu_1'), answer('msg_2', { requestId: 'req_2' }), result(both)])
      query.message(message);
    query.promptTaken(user('LATER'));
    box.receive(logsOf(cli.prompt(T1)));
    box.deliver();
    for (const message of [init(), answer('msg_3', { requestId: 'req_3' }), result()]) query.message(message);
    query.ended('done');
    query.settle();
    expect(agents().map(({ outcome, input }) => [outcome, textsOf(input)])).toEqual([
      ['completed', ['use bash', 'STEER']],
      ['completed', ['LATER']],
    ]);
    expect(textsOf(calls().find(({ messageId }) => messageId === 'msg_2')?.input)).toContain('STEER');
  });

  test('together with another that the next turn takes, is not lost', () => {
    const { query, agents } = setUp('off');
    query.promptTaken(user('ONE'));
    query.message(init());
    query.promptTaken(user('TWO'));
    query.promptTaken(user('THREE'));
    for (const message of [answer('msg_1'), result(), init(), answer('msg_2'), result()]) query.message(message);
    query.ended('done');
    expect(agents().map(({ input }) => textsOf(input))).toEqual([['ONE'], ['TWO', 'THREE']]);
  });
});

function textsOf(messages: LlmSpan['input']): string[] {
  return (messages ?? []).flatMap(({ content }) =>
    content.flatMap((block) => (block.type === 'text' ? [block.text] : [])),
  );
}

describe('a query that nobody reads to its end', () => {
  test('ends, all its spans with it, after its child is gone in the middle of a turn', () => {
    const { query, box, cli, counts, agents, calls } = setUp();
    query.promptGiven('hi');
    query.message(init());
    query.message(answer('msg_1', { requestId: 'req_1' }));
    box.receive(logsOf(cli.prompt(T0), cli.priced(T0, first, { request_id: 'req_1' })));
    box.childGone();
    expect(counts.settled).toBe(0);
    vi.advanceTimersByTime(60_000);
    expect(counts.settled).toBe(1);
    expect(calls()).toHaveLength(1);
    expect(agents().map(({ outcome }) => outcome)).toEqual(['crashed']);
    expect(box.isReleased).toBe(true);
  });

  test('ends after its child is gone and no prompt can come', () => {
    const { query, box, counts } = setUp();
    query.promptGiven('hi');
    for (const message of [init(), answer('msg_1', { requestId: 'req_1' }), result()]) query.message(message);
    box.childGone();
    vi.advanceTimersByTime(60_000);
    expect(counts.settled).toBe(1);
  });

  test('does not end while it is read, however slowly', () => {
    const { query, box, counts, agents } = setUp();
    query.promptGiven('hi');
    query.message(init());
    box.childGone();
    for (let n = 0; n < 5; n += 1) {
      vi.advanceTimersByTime(20_000);
      query.message(answer(`msg_${n}`, { requestId: `req_${n}` }));
    }
    expect(counts.settled).toBe(0);
    query.message(result());
    query.ended('done');
    expect(counts.settled).toBe(1);
    expect(agents().map(({ outcome }) => outcome)).toEqual(['completed']);
  });

  test('waits for its process when it was left, and no longer than bounded', () => {
    const { query, counts } = setUp();
    query.promptGiven('hi');
    query.message(init());
    query.ended('return');
    expect(counts.settled).toBe(0);
    vi.advanceTimersByTime(60_000);
    expect(counts.settled).toBe(1);
  });
});

describe('a child that was started ahead', () => {
  test('and dies before anybody claims it is let go of', () => {
    const { query, box, counts, agents } = setUp();
    query.parked();
    box.childGone();
    expect(counts.settled).toBe(0);
    vi.advanceTimersByTime(60_000);
    expect(counts.settled).toBe(1);
    expect(box.isReleased).toBe(true);
    expect(agents()).toEqual([]);
  });

  test('is waited for as long as it lives, though its exporter let go of a connection', () => {
    const { query, box, cli, counts } = setUp();
    query.parked();
    vi.advanceTimersByTime(3_600_000);
    box.childGone();
    box.receive(logsOf(cli.prompt(T0)));
    box.deliver();
    vi.advanceTimersByTime(3_600_000);
    expect(counts.settled).toBe(0);
  });

  test('is no spare any more when it was claimed', () => {
    const { query, box, counts } = setUp();
    query.parked();
    query.claimed();
    box.childGone();
    vi.advanceTimersByTime(60_000);
    expect(counts.settled).toBe(0);
  });
});

describe('a session whose exporter lets go of an idle connection', () => {
  test('goes on with its next prompt, however long after', () => {
    const { query, box, cli, counts, agents } = setUp();
    for (const [turn, turnSpanId] of [T0, T1, cliId(3)].entries()) {
      query.promptTaken(user(`prompt ${turn}`));
      const ids = { request_id: `req_${turn}` };
      for (const message of [init(), answer(`msg_${turn}`, { requestId: `req_${turn}` }), result(first)])
        query.message(message);
      box.receive(
        logsOf(cli.prompt(turnSpanId), cli.priced(turnSpanId, first, ids)),
        tracesOf(cli.call(turnSpanId, first, ids), cli.interaction(turn, turnSpanId)),
      );
      box.deliver();
      vi.advanceTimersByTime(3_000);
      box.childGone();
      vi.advanceTimersByTime(120_000);
    }
    expect(counts).toEqual({ late: 0, settled: 0 });
    expect(agents().map(({ outcome, llmCalls }) => [outcome, llmCalls])).toEqual(
      Array.from({ length: 3 }, () => ['completed', 1]),
    );
  });
});

describe('a query that is over', () => {
  test('counts what comes after as late and makes no spans of it', () => {
    const { query, box, cli, counts, agents } = setUp('off');
    query.promptGiven('hi');
    for (const message of [init(), answer('msg_1'), result()]) query.message(message);
    query.ended('close');
    expect(counts).toEqual({ late: 0, settled: 1 });
    for (const message of [init(), answer('msg_2'), result()]) query.message(message);
    query.promptTaken(user('more'));
    expect(query.handlerStarted({ toolCallId: 'toolu_1', toolName: 'x' })).toBeUndefined();
    box.receive(logsOf(cli.prompt(T0)));
    box.deliver();
    query.settle();
    vi.advanceTimersByTime(60_000);
    expect(counts).toEqual({ late: 3, settled: 1 });
    expect(agents()).toHaveLength(1);
  });
});
