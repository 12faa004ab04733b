import type { Difference, ExpectedCall, Expectation } from './expectation.ts';

/** One line of a tree, and the lines below it. */
export interface TreeNode {
  readonly line: string;
  readonly children: readonly TreeNode[];
}

export function parseTree(text: string): readonly TreeNode[] {
  const lines = text.split('\n').filter((line) => line.trim() !== '');
  const depthOf = (line: string): number => line.search(/\S/) / 2;
  const read = (from: number, depth: number): TreeNode[] => {
    const nodes: TreeNode[] = [];
    for (let at = from; at < lines.length; at += 1) {
      const line = lines[at] ?? '';
      if (depthOf(line) < depth) break;
      if (depthOf(line) === depth) nodes.push({ line: line.trim(), children: read(at + 1, depth + 1) });
    }
    return nodes;
  };
  return read(0, 0);
}

export function formatTree(nodes: readonly TreeNode[], depth = 0): string {
  return nodes.map(({ line, children }) => `${'  '.repeat(depth)}${line}\n${formatTree(children, depth + 1)}`).join('');
}

/** The tree of all sources as one source alone must show it: the declared differences applied, and nothing else. */
export function treeOfSource(golden: readonly TreeNode[], differences: readonly Difference[]): readonly TreeNode[] {
  return differences.reduce((nodes, difference) => apply(nodes, difference), golden);
}

/** Figures, and the ids under which a source knows its calls, are held against its rows and not against the tree. */
export function withoutFigures(
  nodes: readonly TreeNode[],
  idOf: (id: string) => string = (id) => id,
): readonly TreeNode[] {
  return nodes.map(({ line, children }) => ({
    line: line
      .replace(/ (in|out|cost)=\S+/g, '')
      .replace(/^(llm \w+ )(\S+)/, (_, start: string, id: string) => `${start}${idOf(id)}`),
    children: withoutFigures(children, idOf),
  }));
}

/** Under which name a call of the whole tree goes in the tree of one source alone. */
export function idsOfSource({ sources }: Expectation, source: keyof Expectation['sources']): (id: string) => string {
  const all = callsIn(typeof sources['sdk+cli'] === 'string' ? sources.cli : sources['sdk+cli']);
  const own = callsIn(sources[source]);
  const isSame = (a: ExpectedCall, b: ExpectedCall): boolean =>
    (a.requestId !== null && a.requestId === b.requestId) ||
    (a.messageId !== null && a.messageId === b.messageId) ||
    // Behind a gateway that takes the ids away, telemetry knows a call by its figures alone.
    (a.requestId === null && a.messageId === null && hasFiguresOf(a, b));
  const nameOf = (call: ExpectedCall): string => call.requestId ?? call.messageId ?? '-';
  return (id) => {
    const call = all.find((candidate) => nameOf(candidate) === id);
    const known = call === undefined ? undefined : own.find((candidate) => isSame(candidate, call));
    return known === undefined ? id : nameOf(known);
  };
}

function hasFiguresOf(own: ExpectedCall, call: ExpectedCall): boolean {
  return own.usage !== null && JSON.stringify(own.usage) === JSON.stringify(call.usage);
}

function callsIn(source: Expectation['sources'][keyof Expectation['sources']]): readonly ExpectedCall[] {
  return typeof source === 'string' ? [] : source.llm;
}

function apply(nodes: readonly TreeNode[], difference: Difference): readonly TreeNode[] {
  if (difference.node === 'everything') return [];
  const turn = /^turn (\d+)$/.exec(difference.node)?.[1];
  if (turn !== undefined) {
    const index = nodes.map((node, at) => (node.line.startsWith('agent ') ? at : -1)).filter((at) => at >= 0)[
      Number(turn)
    ];
    if (difference.change === 'absent') return nodes.filter((_, at) => at !== index);
    return nodes.map((node, at) => (at === index ? changed(node, difference) : node));
  }
  return visit(nodes, difference, undefined);
}

function visit(nodes: readonly TreeNode[], difference: Difference, parent: string | undefined): TreeNode[] {
  return nodes.flatMap((node) => {
    const isUnder = difference.under === undefined || parent?.includes(difference.under) === true;
    if (isUnder && isNamed(node, difference.node))
      return difference.change === 'absent' ? [] : [changed(node, difference)];
    return [{ line: node.line, children: visit(node.children, difference, node.line) }];
  });
}

const isNamed = ({ line }: TreeNode, start: string): boolean => line === start || line.startsWith(`${start} `);

function changed({ line, children }: TreeNode, { change, to = '' }: Difference): TreeNode {
  if (change === 'background') return { line: line.replace(/( background)?$/, ` background:${to}`), children };
  return { line: line.replace(/\S+$/, to), children };
}

/** Where the table leaves open what a source says of a node, its own word is taken out of the comparison. */
export function withoutUnknown(nodes: readonly TreeNode[], differences: readonly Difference[]): readonly TreeNode[] {
  return treeOfSource(
    nodes,
    differences.filter(({ to }) => to === 'unknown'),
  );
}
