import { agent, llm } from '@spanprism/testkit/samples';
import { expect, test } from 'vitest';
import { inSession, storeOf } from './__fixtures__/store-folder.ts';

test('the first turn of a run is its earliest turn of the main loop, in whatever order spans came', () => {
  const spans = [
    agent({ id: 3, ms: [300, 400] }),
    agent({ id: 2, ms: [10, 20], role: 'subagent', agentName: 'Explore' }),
    agent({ id: 1, ms: [100, 200] }),
    llm({ id: 4, parent: 1, ms: [5, 9] }),
  ];
  const store = storeOf(inSession('one', spans), inSession('calls', [llm({ id: 4, ms: [0, 9] })]));
  expect(store.firstTurn('one')?.body()).toMatchObject({ kind: 'agent', key: `one/${spans[2]?.key}` });
  expect(store.firstTurn('calls')).toBeUndefined();
  expect(store.firstTurn('on')).toBeUndefined();
});
