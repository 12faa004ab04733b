/** What it takes to show spans on a terminal, as `renderTree` and `consoleSink` do: figures, widths, and lines that are harmless. */
export { harmless, oneLine } from './model/one-line.ts';
export { isoFromUnixNano, msBetween } from './model/time.ts';
export { failureOf, nameOf, preview, wordsOf } from './model/span-words.ts';
export { joined } from './sinks/describe-span.ts';
export { bytes, count, dollars, duration, tokens } from './sinks/figures.ts';
export { renderTree, type RenderTreeOptions, treeLines } from './sinks/render-tree.ts';
export { type SpanBranch, spanTrees } from './sinks/span-tree.ts';
export { cellsOf, cutToCells, formatLine, type Screen, type Segment, type Style } from './sinks/terminal.ts';
export { addUsage, type Usage } from './model/usage.ts';
