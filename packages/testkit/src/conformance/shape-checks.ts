import assert from 'node:assert/strict';
import type { SinkCheck } from './sink-case.ts';
import { instant, PARALLEL, SEGMENT, SHORT, SKEWED, spanIdOf, SUBAGENT, TURN, TWO_SESSIONS } from './traces.ts';

export const SHAPE: readonly SinkCheck[] = [
  {
    group: 'shape',
    name: 'one row per span',
    run: async (rig) => {
      rig.play(TURN);
      const labels = (await rig.rows()).map((row) => `${row.kind} ${row.label}`);
      assert.deepEqual(labels.sort(), ['agent main', 'llm msg_2', 'llm msg_4', 'tool toolu_3']);
    },
  },
  {
    group: 'shape',
    name: 'calls and tools hang below their agent',
    run: async (rig) => {
      rig.play(TURN);
      const main = await rig.row('main');
      assert.equal(main.parentId, undefined);
      for (const label of ['msg_2', 'msg_4', 'toolu_3']) assert.equal((await rig.row(label)).parentId, main.id, label);
    },
  },
  {
    group: 'shape',
    name: 'a subagent hangs below the call that asked for it',
    run: async (rig) => {
      rig.play(SUBAGENT);
      assert.equal((await rig.row('Explore')).parentId, (await rig.row('toolu_2')).id);
    },
  },
  {
    group: 'shape',
    name: 'parallel tools are siblings',
    run: async (rig) => {
      rig.play(PARALLEL);
      assert.equal((await rig.row('toolu_3')).parentId, (await rig.row('toolu_4')).parentId);
    },
  },
  {
    group: 'shape',
    name: 'a subagent that outlives its turn arrives in the same trace',
    run: async (rig) => {
      rig.play(SEGMENT);
      assert.equal((await rig.row('Explore')).traceId, (await rig.row('main')).traceId);
    },
  },
  {
    group: 'shape',
    name: 'two interleaved sessions stay apart',
    run: async (rig) => {
      rig.play(TWO_SESSIONS);
      const traces = new Map((await rig.rows()).map(({ label, traceId }) => [label, traceId]));
      assert.equal(traces.get('msg_2'), traces.get('first'));
      assert.equal(traces.get('msg_12'), traces.get('second'));
      assert.notEqual(traces.get('first'), traces.get('second'));
    },
  },
  {
    group: 'shape',
    name: 'ids are those of the spans',
    needs: ['ownIds'],
    run: async (rig) => {
      rig.play(PARALLEL);
      assert.equal((await rig.row('toolu_3')).id, spanIdOf(3));
      assert.equal((await rig.row('main')).id, spanIdOf(1));
    },
  },
];

export const TIME: readonly SinkCheck[] = [
  {
    group: 'time',
    name: 'start and end are the observed ones',
    run: async (rig) => {
      rig.play(PARALLEL);
      const { startedAt, endedAt } = await rig.row('toolu_4');
      assert.deepEqual([startedAt, endedAt], [instant(510), instant(800)]);
    },
  },
  {
    group: 'time',
    name: 'lengths of nothing and of less than a millisecond are exact',
    run: async (rig) => {
      rig.play(SHORT);
      const lengths = [await rig.row('toolu_2'), await rig.row('toolu_3')].map((row) => row.endedAt - row.startedAt);
      assert.deepEqual(lengths, [0n, 250_000n]);
    },
  },
  {
    group: 'time',
    name: 'a child that began before its parent keeps its start',
    run: async (rig) => {
      rig.play(SKEWED);
      const [child, parent] = [await rig.row('toolu_2'), await rig.row('main')];
      assert.equal(parent.startedAt - child.startedAt, 40_000_000n);
    },
  },
  {
    group: 'time',
    name: 'a guessed time is said to be guessed',
    needs: ['issues'],
    run: async (rig) => {
      rig.play(SKEWED);
      assert.deepEqual((await rig.row('toolu_2')).issues, ['approximate_time']);
    },
  },
  {
    group: 'time',
    name: 'the first token has its time',
    needs: ['firstToken'],
    run: async (rig) => {
      rig.play(TURN);
      const [known, unknown] = [await rig.row('msg_2'), await rig.row('msg_4')];
      assert.equal((known.firstTokenAt ?? 0n) - known.startedAt, 250_000_000n);
      assert.equal(unknown.firstTokenAt, undefined);
    },
  },
];
