import assert from 'node:assert/strict';
import { AsyncLocalStorage, createHook } from 'node:async_hooks';
import { setImmediate as nextTick } from 'node:timers/promises';
import { applyCapture, createTracing, resolveCapture, type Span } from '@spanprism/core';
import type { CollectorBehaviour } from '../collector/collector.ts';
import { DEADLINE_MS, deliver, droppedBy, type Rig, type SinkCheck } from './sink-case.ts';
import { llm, PARALLEL, TURN } from './traces.ts';

/** How long what must be bounded may take in all; its own deadline is a fraction of it. */
const BOUND_MS = 4_000;
const SHORT_MS = 300;

const FAULTS: Readonly<Record<string, CollectorBehaviour>> = {
  'a wrong key': { kind: 'status', status: 401 },
  'a key without rights': { kind: 'status', status: 403 },
  'a wrong path': { kind: 'status', status: 404 },
  'a small gateway': { kind: 'status', status: 413 },
  'a cut connection': { kind: 'refuse' },
  'no answer': { kind: 'hang' },
};

/** Whether it rejects, within the bound. */
async function fails(work: Promise<void>): Promise<boolean> {
  let timer: ReturnType<typeof setTimeout> | undefined;
  const late = new Promise<never>((_, reject) => {
    timer = setTimeout(() => reject(new assert.AssertionError({ message: 'it did not keep its deadline' })), BOUND_MS);
  });
  try {
    await Promise.race([work, late]);
    return false;
  } catch (error) {
    if (error instanceof assert.AssertionError) throw error;
    return true;
  } finally {
    clearTimeout(timer);
  }
}

export const LIFECYCLE: readonly SinkCheck[] = [
  {
    group: 'lifecycle',
    name: 'a backend that refuses makes flush reject, and what is lost or waits is counted',
    needs: ['http'],
    run: async (rig) => {
      rig.collector.behave({ kind: 'refuse' });
      rig.play(PARALLEL);
      assert.equal(await fails(rig.sink.flush(SHORT_MS)), true, 'flush resolved');
      const { delivered = 0, queued = 0 } = rig.sink.stats?.() ?? {};
      assert.deepEqual([delivered, queued + droppedBy(rig.sink)], [0, 3]);
    },
  },
  {
    group: 'lifecycle',
    name: 'a backend that hangs costs no more than the deadline',
    needs: ['http'],
    run: async (rig) => {
      rig.collector.behave({ kind: 'hang' });
      rig.play(TURN);
      assert.equal(await fails(rig.sink.flush(SHORT_MS)), true, 'flush resolved');
    },
  },
  {
    group: 'lifecycle',
    name: 'what is wrong with a backend is one line',
    needs: ['http'],
    run: async (_, remake) => {
      for (const [fault, behaviour] of Object.entries(FAULTS)) {
        const rig = await remake();
        const lines: string[] = [];
        const tracing = createTracing({
          sinks: [rig.sink],
          cliTelemetry: 'off',
          diag: (_, line) => void lines.push(line),
        });
        rig.collector.behave(behaviour);
        rig.play(PARALLEL);
        await tracing.close(SHORT_MS);
        lines.push(...rig.diagnostics);
        assert.equal(lines.length, 1, `${fault}: ${lines.join('\n') || 'nothing is said'}`);
      }
    },
  },
  {
    group: 'lifecycle',
    name: '429 is tried again after what Retry-After says',
    needs: ['http'],
    run: async (rig) => {
      rig.collector.behave(
        { kind: 'status', status: 429, headers: { 'retry-after': '1' } },
        { times: 1, signal: 'traces' },
      );
      rig.play(PARALLEL);
      const before = performance.now();
      assert.equal((await rig.rows()).length, 3);
      // A slow machine makes this longer, never shorter.
      assert.ok(performance.now() - before >= 950, 'it did not wait');
    },
  },
  {
    group: 'lifecycle',
    name: 'close() twice is close() once',
    run: async (rig) => {
      rig.play(TURN);
      await rig.sink.close(DEADLINE_MS);
      await rig.sink.close(DEADLINE_MS);
    },
  },
  {
    group: 'lifecycle',
    name: 'what comes after close() is dropped and counted',
    needs: ['http'],
    run: async (rig) => {
      await rig.sink.close(DEADLINE_MS);
      const requests = rig.collector.requests.length;
      rig.play(PARALLEL);
      await rig.sink.flush(SHORT_MS).catch(() => undefined);
      assert.equal(rig.collector.requests.length, requests);
      assert.equal(droppedBy(rig.sink), 3);
    },
  },
  {
    group: 'lifecycle',
    name: 'a span after the end of its turn is delivered or counted',
    run: async (rig) => {
      const late: Span = llm({ id: 9, parent: 1, ms: [1_000, 1_100] });
      rig.play([...PARALLEL, { type: 'end', span: late }]);
      assert.equal((await rig.rows()).length + droppedBy(rig.sink), 4);
    },
  },
];

function freeze(value: unknown): void {
  if (typeof value !== 'object' || value === null || Object.isFrozen(value)) return;
  Object.freeze(value);
  for (const member of Object.values(value)) freeze(member);
}

/** What is written to the console and the streams behind it while it runs. */
async function written(run: () => Promise<void>): Promise<readonly string[]> {
  const lines: string[] = [];
  const streams = [process.stdout, process.stderr] as const;
  const originals = streams.map((stream) => stream.write.bind(stream));
  const { log, info, warn, error, debug } = console;
  const note = (...words: unknown[]): boolean => lines.push(words.map(String).join(' ')) > 0;
  try {
    for (const stream of streams) stream.write = note as typeof stream.write;
    Object.assign(console, { log: note, info: note, warn: note, error: note, debug: note });
    await run();
  } finally {
    streams.forEach((stream, index) => Object.assign(stream, { write: originals[index] }));
    Object.assign(console, { log, info, warn, error, debug });
  }
  return lines;
}

/** Where timers were started, by what it does, that keep the process alive after it. Those of others, as of the test runner, do not count. */
async function timersLeft(run: () => Promise<void>): Promise<readonly string[]> {
  const alive = new Map<number, { readonly timer: object; readonly startedAt: string }>();
  const within = new AsyncLocalStorage<true>();
  const hook = createHook({
    init: (...[id, type, , timer]) => {
      if (type === 'Timeout' && within.getStore())
        alive.set(id, { timer, startedAt: new Error('started').stack ?? '' });
    },
    destroy: (id) => void alive.delete(id),
  }).enable();
  try {
    await within.run(true, run);
    // Those that ended are told of a moment later.
    await nextTick();
    const left = [...alive.values()].filter(({ timer }) => 'hasRef' in timer && (timer as NodeJS.Timeout).hasRef());
    return left.map(({ startedAt }) => startedAt);
  } finally {
    hook.disable();
  }
}

export const PURITY: readonly SinkCheck[] = [
  {
    group: 'purity',
    name: 'spans are not changed',
    run: async (rig) => {
      const policy = resolveCapture('full', { environment: {} });
      // A frozen span makes every change throw.
      deliver(rig.sink, PARALLEL, (span) => {
        const captured = applyCapture(structuredClone(span), policy);
        freeze(captured);
        return captured;
      });
      assert.equal((await rig.rows()).length, 3);
    },
  },
  {
    group: 'purity',
    name: 'the same spans twice give the same rows, byte for byte',
    needs: ['ownIds'],
    run: async (rig, remake) => {
      const again = await remake();
      const text = async (one: Rig): Promise<string> => {
        one.play(TURN, 'full');
        const rows = await one.rows();
        const bodies = one.collector.requests
          .filter(({ signal }) => signal === 'traces')
          // Records of starts and of ends have a queue each: either request may be there first.
          .map(({ body }) => body.toString('hex'))
          .toSorted();
        return [...rows.map((row) => JSON.stringify(row, bigints)), ...bodies].join('\n');
      };
      assert.equal(await text(again), await text(rig));
    },
  },
  {
    group: 'purity',
    name: 'nothing is written to the console',
    isAlone: true,
    run: async (rig) => {
      const lines = await written(async () => {
        rig.play(TURN);
        await rig.sink.close(DEADLINE_MS);
      });
      assert.deepEqual(lines, []);
    },
  },
  {
    group: 'purity',
    name: 'no timer is left after close()',
    isAlone: true,
    run: async (rig) => {
      const left = await timersLeft(async () => {
        rig.play(TURN);
        await rig.sink.close(DEADLINE_MS);
      });
      assert.deepEqual(left, []);
    },
  },
];

const bigints = (_: string, value: unknown): unknown => (typeof value === 'bigint' ? String(value) : value);
