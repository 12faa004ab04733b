import type { Span } from '../../../core/src/model/span.ts';
import type { Played } from './replay.ts';

/** What a sink was told against the promises that the assembler makes; nothing when all are kept. */
export function brokenPromises({ told, spans, openAgents, held }: Played): readonly string[] {
  const broken: string[] = [];
  const started = new Map<string, Span>();
  const ended = new Map<string, Span>();
  const closed = new Set<string>();
  const known = new Map(spans.map((span) => [span.spanId, span]));
  for (const event of told) {
    if (event.type === 'turn-end') {
      if (!ended.has(event.rootSpanId)) broken.push(`turn end of ${event.rootSpanId} before its end`);
      if (closed.has(event.rootSpanId)) broken.push(`turn end of ${event.rootSpanId} twice`);
      closed.add(event.rootSpanId);
      continue;
    }
    const { span } = event;
    const name = `${event.type} of ${span.kind} ${span.key}`;
    const root = rootOf(span, known);
    if (root === undefined) broken.push(`${name}: an orphan`);
    else if (closed.has(root.spanId)) broken.push(`${name} after the end of its turn`);
    if (event.type === 'start') broken.push(...wrongStart(span, started).map((why) => `${name}: ${why}`));
    else broken.push(...wrongEnd(span, { started, ended }).map((why) => `${name}: ${why}`));
    (event.type === 'start' ? started : ended).set(span.spanId, span);
  }
  for (const [id, span] of started) if (!ended.has(id)) broken.push(`${span.kind} ${span.key} never ends`);
  for (const span of spans) if (isRoot(span) && !closed.has(span.spanId)) broken.push(`no turn end of ${span.key}`);
  if (openAgents > 0) broken.push(`${openAgents} agents stay open`);
  if (held > 0) broken.push(`${held} entries are held`);
  return broken;
}

function wrongStart(span: Span, started: ReadonlyMap<string, Span>): string[] {
  const { parentSpanId } = span;
  const parent = parentSpanId === undefined ? undefined : started.get(parentSpanId);
  return [
    ...(started.has(span.spanId) ? ['it has started already'] : []),
    ...(span.endedAt === undefined ? [] : ['it has an end']),
    ...(parent === undefined && !isOutermost(span) ? ['its parent has not started'] : []),
    ...(parent !== undefined && parent.traceId !== span.traceId ? ['it is in another trace than its parent'] : []),
  ];
}

function wrongEnd(
  span: Span,
  seen: { readonly started: ReadonlyMap<string, Span>; readonly ended: ReadonlyMap<string, Span> },
): string[] {
  const start = seen.started.get(span.spanId);
  return [
    ...(seen.ended.has(span.spanId) ? ['it has ended already'] : []),
    ...(start === undefined ? ['it has not started'] : []),
    ...(start !== undefined && (start.parentSpanId !== span.parentSpanId || start.traceId !== span.traceId)
      ? ['it has moved']
      : []),
    ...(span.endedAt === undefined ? ['it has no end'] : []),
    ...(span.endedAt !== undefined && span.endedAt < span.startedAt ? ['it ends before it starts'] : []),
  ];
}

/** A turn, or a call that stands alone; its parent, if any, is not ours. */
function isOutermost(span: Span): boolean {
  if (span.kind === 'agent') return span.role === 'main';
  return span.kind === 'llm' && (span.parentSpanId === undefined || span.parentIsRemote === true);
}

/** What is delivered as a whole: a turn, a segment, a call that stands alone. */
function isRoot(span: Span): boolean {
  return isOutermost(span) || (span.kind === 'agent' && span.isSegment === true);
}

function rootOf(span: Span, known: ReadonlyMap<string, Span>): Span | undefined {
  let at: Span | undefined = known.get(span.spanId) ?? span;
  while (at !== undefined && !isRoot(at)) at = at.parentSpanId === undefined ? undefined : known.get(at.parentSpanId);
  return at;
}
