// Draws the trace of the demo as an SVG: `node examples/draw-trace.ts > docs/trace.svg`.
import * as sdk from '@anthropic-ai/claude-agent-sdk';
import { createTracing, memorySink, msBetween, type Span, type SpanKind } from '@spanprism/core';
import { scriptedStage } from './demo/stage.ts';

const memory = memorySink({ capture: 'full' });
await using stage = await scriptedStage();
const tracing = createTracing({ sinks: [memory] });
await tracing.ready();
const { query } = tracing.wrapSdk(sdk);
for await (const _ of query({ prompt: stage.prompt, options: stage.options }));
await tracing.close();

const ROW = 28;
const TOP = 46;
const BARS = { x: 300, width: 400 };
const WIDTH = 960;
const COLORS: Readonly<Record<SpanKind, string>> = {
  agent: '#8e7cf0',
  llm: '#3b8eea',
  tool: '#2da36f',
  permission: '#d9822b',
  hook: '#8a8f98',
  custom: '#8a8f98',
};

const rows = inOrder();
const origin = rows[0]?.span.startedAt ?? 0n;
const lengthMs = Math.max(...rows.map(({ span }) => msBetween(origin, span.endedAt ?? span.startedAt)));
const height = TOP + rows.length * ROW + 34;

console.log(`<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${WIDTH} ${height}" role="img" aria-label="The trace of one agent run">
<style>
  text { font: 13px ui-sans-serif, system-ui, -apple-system, "Segoe UI", sans-serif; fill: #1f2328; }
  .quiet { fill: #656d76; font-size: 12px; font-variant-numeric: tabular-nums; }
  .line { stroke: #8a8f98; stroke-opacity: .3; }
  .strong { font-weight: 600; }
  @media (prefers-color-scheme: dark) { text { fill: #e6edf3; } .quiet { fill: #9198a1; } }
</style>
${seconds()}
${rows.map(draw).join('\n')}
${legend()}
</svg>`);

interface Row {
  readonly span: Span;
  readonly depth: number;
}

function inOrder(parent?: Span, depth = 0): readonly Row[] {
  const children = memory.spans.filter(({ parentSpanId }) => parentSpanId === parent?.spanId);
  const sorted = children.toSorted((left, right) => (left.startedAt < right.startedAt ? -1 : 1));
  return sorted.flatMap((span) => [{ span, depth }, ...inOrder(span, depth + 1)]);
}

function draw({ span, depth }: Row, index: number): string {
  const y = TOP + index * ROW;
  const color = COLORS[span.kind];
  const [from, to] = [x(span.startedAt), x(span.endedAt ?? span.startedAt)];
  const height = span.kind === 'agent' ? 8 : 14;
  const bar = (start: number, end: number, opacity: number): string =>
    `<rect x="${start.toFixed(1)}" y="${y - height / 2}" width="${Math.max(end - start, 3).toFixed(1)}" height="${height}" rx="3" fill="${color}" fill-opacity="${opacity}"/>`;
  // Until the first token somebody waits: that part of a call is pale.
  const first = span.kind === 'llm' && span.firstTokenAt !== undefined ? x(span.firstTokenAt) : undefined;
  const bars = first === undefined ? bar(from, to, 0.9) : `${bar(from, to, 0.35)}${bar(first, to, 0.9)}`;
  const retries = span.events.filter(({ name }) => name === 'retry').map(({ at }) => diamond(x(at), y));
  const indent = 14 + depth * 20;
  const style = span.kind === 'agent' ? ' class="strong"' : '';
  return [
    `<circle cx="${indent}" cy="${y}" r="4" fill="${color}"/><text x="${indent + 12}" y="${y + 4}"${style}>${label(span)}</text>`,
    bars,
    ...retries,
    `<text class="quiet" x="${WIDTH - 14}" y="${y + 4}" text-anchor="end">${figures(span)}</text>`,
  ].join('');
}

function label(span: Span): string {
  if (span.kind === 'agent') return span.agentName;
  if (span.kind === 'llm') return span.responseModel ?? span.requestModel;
  if (span.kind === 'tool') return `${span.toolName} ${fileOf(span.input)}`.trim();
  return span.kind;
}

function fileOf(input: unknown): string {
  const path: unknown = typeof input === 'object' && input !== null ? Reflect.get(input, 'file_path') : undefined;
  return typeof path === 'string' ? (path.split(/[/\\]/).at(-1) ?? '') : '';
}

function figures(span: Span): string {
  const counted = span.kind === 'llm' ? span : span.kind === 'agent' ? span.totals : undefined;
  if (counted === undefined) return '';
  const { usage, costUsd } = counted;
  const count = (tokens = 0): string => tokens.toLocaleString('en-US');
  return `${count(usage?.inputTokens)} in → ${count(usage?.outputTokens)} out · $${(costUsd ?? 0).toFixed(4)}`;
}

function seconds(): string {
  const marks = Array.from({ length: Math.floor(lengthMs / 1000) + 1 }, (_, second) => {
    const at = BARS.x + (second * 1000 * BARS.width) / lengthMs;
    return `<line class="line" x1="${at.toFixed(1)}" x2="${at.toFixed(1)}" y1="26" y2="${height - 40}"/><text class="quiet" x="${at.toFixed(1)}" y="18" text-anchor="middle">${second} s</text>`;
  });
  return marks.join('\n');
}

function legend(): string {
  const y = height - 12;
  const words = [
    ['agent', COLORS.agent],
    ['model call', COLORS.llm],
    ['tool', COLORS.tool],
    ['retry', '#e5a50a'],
  ] as const;
  const marks = words.map(([word, color], index) => {
    const left = BARS.x + index * 100;
    return `<circle cx="${left}" cy="${y - 4}" r="4" fill="${color}"/><text class="quiet" x="${left + 10}" y="${y}">${word}</text>`;
  });
  const pale = `<text class="quiet" x="${WIDTH - 14}" y="${y}" text-anchor="end">pale: until the first token</text>`;
  return [...marks, pale].join('');
}

function diamond(at: number, y: number): string {
  const side = 5;
  return `<path d="M${at.toFixed(1)} ${y - side}l${side} ${side}l-${side} ${side}l-${side} -${side}z" fill="#e5a50a"/>`;
}

function x(time: bigint): number {
  return BARS.x + (msBetween(origin, time) * BARS.width) / lengthMs;
}
