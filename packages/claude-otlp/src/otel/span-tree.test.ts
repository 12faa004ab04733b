import { createContextKey, ROOT_CONTEXT } from '@opentelemetry/api';
import type { Context } from '@opentelemetry/api';
import { expect, test } from 'vitest';
import { agent, custom, llm, spanId, tool } from '../__fixtures__/sample-traces.ts';
import { SpanTree } from './span-tree.ts';

const KEY = createContextKey('test');

function end(tree: SpanTree, ...spans: readonly Parameters<SpanTree['node']>[0][]): void {
  for (const span of spans) tree.node(span).isEnded = true;
}

test('nothing of a turn is held once it is over', () => {
  const tree = new SpanTree();
  end(
    tree,
    agent({ id: 1, ms: [0, 9] }),
    llm({ id: 2, parent: 1, ms: [0, 1] }),
    tool({ id: 3, parent: 1, ms: [1, 2] }),
  );
  tree.endTurn(spanId(1));
  expect([1, 2, 3].map((id) => tree.find(spanId(id)))).toEqual([undefined, undefined, undefined]);
});

test('a turn within a long step is let go of when the turn ends, and the step is not', () => {
  const tree = new SpanTree();
  tree.node(custom({ id: 1, ms: [0, 9] }));
  end(tree, agent({ id: 2, parent: 1, ms: [0, 5] }), llm({ id: 3, parent: 2, ms: [0, 1] }));
  tree.endTurn(spanId(2));
  expect([1, 2, 3].map((id) => tree.find(spanId(id)) !== undefined)).toEqual([true, false, false]);
});

test('a segment takes with it what is open below it, and lets go of all at its own end', () => {
  const tree = new SpanTree();
  const subagent = agent({ id: 3, parent: 2, ms: [0, 9], role: 'subagent' });
  const inner = tool({ id: 4, parent: 3, ms: [0, 9] });
  end(tree, agent({ id: 1, ms: [0, 9] }), tool({ id: 2, parent: 1, ms: [0, 1], inBackground: true }));
  tree.node(subagent);
  tree.node(inner);
  tree.endTurn(spanId(1));
  expect(tree.find(spanId(4))?.root).toBe(spanId(3));
  end(tree, subagent, inner, llm({ id: 5, parent: 3, ms: [5, 6] }));
  tree.endTurn(spanId(3));
  expect([1, 2, 3, 4, 5].map((id) => tree.find(spanId(id)))).toEqual(new Array(5).fill(undefined));
});

test('of the host’s spans the latest are remembered', () => {
  const tree = new SpanTree();
  const contexts: Context[] = Array.from({ length: 2000 }, (_, index) => ROOT_CONTEXT.setValue(KEY, index));
  contexts.forEach((context, index) => tree.remember(spanId(index), context));
  expect(tree.contextOf(spanId(1999))).toBe(contexts[1999]);
  expect(tree.contextOf(spanId(2000 - 1024))).toBe(contexts[2000 - 1024]);
  expect(tree.contextOf(spanId(2000 - 1025))).toBeUndefined();
});
