import { setImmediate as nextTick } from 'node:timers/promises';
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { createTracing, type Outcome, type Sink, type Tracing } from '@spanprism/core';
import { afterEach, describe, expect, test } from 'vitest';
import type { JsonObject } from '../json.ts';
import { type MockSdk, mockSdk } from './mock-sdk.ts';
import type { MockQuery } from './mock-query.ts';
import { messages, type Scenario } from './scenario.ts';

// Vitest is not started with --expose-gc.
setFlagsFromString('--expose-gc');
const collectGarbage = runInNewContext('gc') as () => void;

const SESSION = '00000000-0000-4000-8000-000000000001';
const TURN_MESSAGES = 10;

/** Message `index` of an endless session: turns of nine messages around tools, and a result. */
function messageAt(index: number): JsonObject {
  const turn = Math.floor(index / TURN_MESSAGES);
  const place = index % TURN_MESSAGES;
  const common = { session_id: SESSION, uuid: `uuid-${index}`, parent_tool_use_id: null };
  if (place === 0) return { type: 'system', subtype: 'init', model: 'claude-sonnet-4-5', tools: [], ...common };
  if (place === TURN_MESSAGES - 1) {
    return { type: 'result', subtype: 'success', is_error: false, result: 'done', num_turns: 4, ...common };
  }
  const toolUse = { type: 'tool_use', id: `toolu_${turn}_${Math.floor((place - 1) / 2)}`, name: 'Bash', input: {} };
  if (place % 2 === 1) {
    const message = { id: `msg_${turn}_${place}`, model: 'claude-sonnet-4-5', role: 'assistant', content: [toolUse] };
    return { type: 'assistant', message: { ...message, usage: { input_tokens: 3, output_tokens: 1 } }, ...common };
  }
  const content = [{ type: 'tool_result', tool_use_id: toolUse.id, content: 'ok' }];
  return { type: 'user', message: { role: 'user', content }, ...common };
}

function session(length: number, told: (message: JsonObject) => void = () => undefined): Scenario {
  return messages({
    *[Symbol.iterator]() {
      for (let index = 0; index < length; index += 1) {
        const message = messageAt(index);
        told(message);
        yield message;
      }
    },
  });
}

/** Partial messages between the others: hidden when tracing has asked for them. */
function withPartials(length: number): Scenario {
  return messages(
    Array.from({ length }, (_, index) =>
      index % 3 === 0 ? messageAt(index) : { type: 'stream_event', event: { type: 'ping' }, uuid: `uuid-${index}` },
    ),
  );
}

interface Counting {
  readonly sink: Sink;
  ended: number;
  readonly outcomes: Outcome[];
}

function countingSink(): Counting {
  const counting: Counting = {
    ended: 0,
    outcomes: [],
    sink: {
      name: 'counting',
      spanEnd: (span) => {
        counting.ended += 1;
        if (span.kind === 'agent' && counting.outcomes.length < 10) counting.outcomes.push(span.outcome);
      },
      flush: async () => undefined,
      close: async () => undefined,
    },
  };
  return counting;
}

let open: Tracing | undefined;

afterEach(async () => {
  await open?.close(0);
  open = undefined;
});

interface Run extends Counting {
  readonly tracing: Tracing;
  readonly sdk: MockSdk;
  readonly query: MockQuery;
}

function start(scenario: Scenario, given: { hides?: boolean; graceMs?: number; timeScale?: number } = {}): Run {
  const counting = countingSink();
  const tracing = createTracing({
    sinks: [counting.sink],
    cliTelemetry: given.hides === true ? 'off' : 'on',
    diag: () => undefined,
  });
  open = tracing;
  const { graceMs = 0, timeScale = 0 } = given;
  const sdk = mockSdk({ scenarios: [scenario], graceMs, timeScale });
  const query = tracing.wrapQuery(sdk.query)({ prompt: 'hello', options: { env: {} } });
  return Object.assign(counting, { tracing, sdk, query });
}

const DONE = { done: true, value: undefined };

describe('a stream of 100,000 messages', () => {
  test.each([{ hides: true }, { hides: false }])(
    'leaves nothing behind (hidden messages: $hides)',
    { timeout: 60_000 },
    async ({ hides }) => {
      const length = 100_000;
      const seen: WeakRef<JsonObject>[] = [];
      let sent = 0;
      const run = start(
        session(length, (message) => {
          if (sent++ % 1_000 === 0) seen.push(new WeakRef(message));
        }),
        { hides },
      );
      let read = 0;
      let early = 0;
      for await (const _ of run.query) {
        read += 1;
        if (read !== length / 10) continue;
        collectGarbage();
        early = process.memoryUsage().heapUsed;
      }
      collectGarbage();
      await nextTick();
      collectGarbage();
      const grown = process.memoryUsage().heapUsed - early;
      expect(read).toBe(length);
      // What is open, and what the assembler remembers of ended spans, is bounded; the conversation is not kept.
      expect(seen.filter((one) => one.deref() !== undefined).length).toBeLessThan(seen.length / 10);
      // Ids of ended spans are remembered by generations: they come to some 30 MB at their fullest, and then to half of it.
      expect(grown).toBeLessThan(40 * 1024 * 1024);
      // Without hidden messages spans wait for a telemetry that this session does not have.
      expect(run.ended).toBeGreaterThan(hides ? length / 2 : -1);
      expect(run.tracing.stats().caught).toBe(0);
    },
  );
});

describe.each([{ hides: true }, { hides: false }])('the iterator (hidden messages: $hides)', ({ hides }) => {
  const late: Scenario = { steps: [{ type: 'message', atMs: 60_000, message: messageAt(0) }] };

  test('return() during a pending next() reaches the real query at once', async () => {
    const { query, sdk } = start(late, { hides, timeScale: 1 });
    const pending = query.next();
    await nextTick();
    const returned = query.return();
    expect(sdk.calls[0]?.requests.map(({ name }) => name)).toEqual(['return']);
    expect(await returned).toEqual(DONE);
    expect(await pending).toEqual(DONE);
  });

  test('concurrent next() calls are answered in order', async () => {
    const { query } = start(withPartials(60), { hides });
    const answers = await Promise.all(Array.from({ length: 20 }, async () => (await query.next()).value?.['uuid']));
    expect(answers).toEqual(Array.from({ length: 20 }, (_, index) => `uuid-${index * 3}`));
    expect(await query.return()).toEqual(DONE);
  });

  test('a consumer that never iterates leaves an abandoned trace and no error', async () => {
    const { tracing, outcomes, query } = start(session(10), { hides });
    await nextTick();
    query.close();
    await tracing.close(1_000);
    expect(outcomes).toHaveLength(1);
    expect(tracing.stats()).toMatchObject({ caught: 0, queries: { open: 0, settled: 1 } });
  });

  test('what a consumer throws is what he gets, and the trace is settled', async () => {
    const { query, outcomes, tracing } = start(session(10), { hides });
    const failure = new Error('of the consumer');
    const reading = async (): Promise<void> => {
      for await (const message of query) if (message['type'] === 'assistant') throw failure;
    };
    await expect(reading()).rejects.toBe(failure);
    await tracing.close(1_000);
    expect(outcomes).toEqual(['abandoned']);
  });

  test('a second return() and a next() after the end are done, and the trace ends once', async () => {
    const { query, outcomes, tracing } = start(session(30), { hides });
    await query.next();
    expect([await query.return(), await query.return(), await query.next(), await query.next()]).toEqual([
      DONE,
      DONE,
      DONE,
      DONE,
    ]);
    await tracing.close(1_000);
    expect(outcomes).toHaveLength(1);
    expect(tracing.stats().queries).toEqual({ open: 0, settled: 1 });
  });

  test('next() by hand gives what `for await` gives', async () => {
    const { query } = start(session(30), { hides });
    const seen: unknown[] = [];
    for (let result = await query.next(); result.done !== true; result = await query.next())
      seen.push(result.value['uuid']);
    expect(seen).toEqual(Array.from({ length: 30 }, (_, index) => `uuid-${index}`));
    expect(await query.next()).toEqual(DONE);
  });
});
