import { expect, test } from 'vitest';
import type { SpanId } from '../model/ids.ts';
import type { CapturedSpan } from '../model/sink.ts';
import { SpanTree } from './span-tree.ts';

const spanId = (id: number): SpanId => id.toString(16).padStart(16, '0') as SpanId;

interface Draft {
  readonly id: number;
  readonly parent?: number;
  readonly role?: 'subagent';
  readonly inBackground?: boolean;
}

// Of a span the tree reads these fields alone.
function span(kind: CapturedSpan['kind'], { id, parent, role, ...rest }: Draft): CapturedSpan {
  const place = parent === undefined ? {} : { parentSpanId: spanId(parent) };
  const fields: unknown = {
    kind,
    role: role ?? 'main',
    toolName: 'Bash',
    inBackground: false,
    ...rest,
    spanId: spanId(id),
    ...place,
  };
  return fields as CapturedSpan;
}
const agent = (draft: Draft): CapturedSpan => span('agent', draft);
const llm = (draft: Draft): CapturedSpan => span('llm', draft);
const tool = (draft: Draft): CapturedSpan => span('tool', draft);
const custom = (draft: Draft): CapturedSpan => span('custom', draft);

type Tree = SpanTree<string, number>;
const newTree = (): Tree => new SpanTree();

function end(tree: Tree, ...spans: readonly CapturedSpan[]): void {
  for (const span of spans) tree.node(span).isEnded = true;
}

test('nothing of a turn is held once it is over', () => {
  const tree = newTree();
  end(tree, agent({ id: 1 }), llm({ id: 2, parent: 1 }), tool({ id: 3, parent: 1 }));
  tree.endTurn(spanId(1));
  expect([1, 2, 3].map((id) => tree.find(spanId(id)))).toEqual([undefined, undefined, undefined]);
});

test('a turn within a long step is let go of when the turn ends, and the step is not', () => {
  const tree = newTree();
  tree.node(custom({ id: 1 }));
  end(tree, agent({ id: 2, parent: 1 }), llm({ id: 3, parent: 2 }));
  tree.endTurn(spanId(2));
  expect([1, 2, 3].map((id) => tree.find(spanId(id)) !== undefined)).toEqual([true, false, false]);
});

test('a segment takes with it what is open below it, and lets go of all at its own end', () => {
  const tree = newTree();
  const subagent = agent({ id: 3, parent: 2, role: 'subagent' });
  const inner = tool({ id: 4, parent: 3 });
  end(tree, agent({ id: 1 }), tool({ id: 2, parent: 1, inBackground: true }));
  tree.node(subagent);
  tree.node(inner);
  tree.endTurn(spanId(1));
  expect(tree.find(spanId(4))?.root).toBe(spanId(3));
  end(tree, subagent, inner, llm({ id: 5, parent: 3 }));
  tree.endTurn(spanId(3));
  expect([1, 2, 3, 4, 5].map((id) => tree.find(spanId(id)))).toEqual(new Array(5).fill(undefined));
});

test('of the host’s spans the latest are remembered', () => {
  const tree = newTree();
  for (let place = 0; place < 2000; place++) tree.remember(spanId(place), place);
  expect(tree.placeOf(spanId(1999))).toBe(1999);
  expect(tree.placeOf(spanId(2000 - 1024))).toBe(2000 - 1024);
  expect(tree.placeOf(spanId(2000 - 1025))).toBeUndefined();
});
