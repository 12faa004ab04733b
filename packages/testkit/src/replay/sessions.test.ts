import { afterEach, describe, expect, test } from 'vitest';
import { memorySink } from '../../../core/src/sinks/memory-sink.ts';
import type { Sink } from '../../../core/src/model/sink.ts';
import type { Span } from '../../../core/src/model/span.ts';
import { parseTraceparent, type SpanId, type TraceId } from '../../../core/src/model/ids.ts';
import { createSessions, type Sessions, type SessionOptions } from '../../../core/src/sessions.ts';
import { listRecordings, openRecording } from '../recordings/recording.ts';
import { play } from './replay.ts';
import { type QueryScript, scriptsOf } from './script.ts';
import { treeText } from './tree-text.ts';

let opened: Sessions | undefined;
afterEach(() => opened?.close());

function started(sinks: readonly Sink[]): Sessions {
  opened = createSessions({ sinks, capture: 'full', agentName: 'main', diag: () => undefined });
  return opened;
}

/** A script's telemetry through a session; what sinks were given. */
function traced({ steps, parent }: QueryScript, options: Partial<SessionOptions> = {}): readonly Span[] {
  const sink = memorySink();
  const session = started([sink]).open({ sources: ['cli'], ...(parent === undefined ? {} : { parent }), ...options });
  for (const { what } of steps) if (what.type === 'telemetry') session.receive(what.request);
  session.end();
  return sink.spans;
}

describe('a session of telemetry alone', () => {
  test.each(listRecordings())('%s: gives sinks what the assembler makes of it', (name) => {
    for (const script of scriptsOf(openRecording(name), 'cli')) {
      expect(treeText(traced(script))).toBe(treeText(play(script, { clock: 'still' }).spans));
    }
  });

  const [script] = scriptsOf(openRecording('one-tool'), 'cli') as [QueryScript];

  test('stands where its child was told that it stands', () => {
    const firstTurn = parseTraceparent('00-0123456789abcdef0123456789abcdef-0123456789abcdef-01')!;
    const { parent: _, ...alone } = script;
    const root = traced(alone, { firstTurn }).find((span) => span.kind === 'agent');
    expect(root).toMatchObject({ traceId: firstTurn.traceId, spanId: firstTurn.spanId });
  });

  test.each([
    ['of its trace, stands below what its process was told of', (traceId: string) => traceId, true],
    ['of another trace, stands alone', () => 'ab'.repeat(16), false],
  ])('that nobody has placed, %s', (_, ownTrace, isBelow) => {
    const { parent: _parent, ...alone } = script;
    const told = alone.steps.flatMap(({ what }) =>
      what.type === 'telemetry' && what.request.signal === 'traces' ? what.request.groups : [],
    );
    const turn = told.flatMap(({ records }) => records).find(({ name }) => name === 'claude_code.interaction');
    let spanIds = 0;
    const ids = {
      traceId: () => ownTrace(turn?.traceId ?? '') as TraceId,
      spanId: () => (spanIds += 1).toString(16).padStart(16, '0') as SpanId,
    };
    const root = traced(alone, { ids }).find((span) => span.kind === 'agent');
    expect(turn?.parentSpanId).toMatch(/^[0-9a-f]{16}$/);
    expect(root?.parentSpanId).toBe(isBelow ? turn?.parentSpanId : undefined);
  });

  test('has its own attributes beside those of all sessions', () => {
    const spans = traced(script, { attributes: { project: 'p' }, agentName: 'reviewer' });
    expect(spans.length).toBeGreaterThan(1);
    expect(spans.every((span) => span.attributes['project'] === 'p')).toBe(true);
    expect(spans.find((span) => span.kind === 'agent')).toMatchObject({ agentName: 'reviewer' });
  });

  test('of which nobody knows when its process ends has calls with figures, and turns without totals', () => {
    const figures = (spans: readonly Span[]) => [
      spans.flatMap((span) => (span.kind === 'agent' ? [span.totals?.usage.outputTokens] : [])),
      spans.flatMap((span) => (span.kind === 'llm' ? [span.usage?.outputTokens] : [])),
    ];
    const [[total], calls] = figures(traced(script)) as [[number], number[]];
    expect(total).toBe(calls.reduce((sum, tokens) => sum + tokens, 0));
    expect(figures(traced(script, { knowsEnd: false }))).toEqual([[undefined], calls]);
  });

  test('hands on the metrics of the CLI', () => {
    const names: Set<string> = new Set();
    const sink: Sink = {
      ...memorySink(),
      name: 'metrics',
      metrics: (points) => points.forEach(({ name }) => names.add(name)),
    };
    const session = started([sink]).open({ sources: ['cli'] });
    for (const { what } of script.steps) if (what.type === 'telemetry') session.receive(what.request);
    expect(names).toContain('claude_code.token.usage');
  });

  test('takes nothing once it has ended, and counts what comes', () => {
    const sink = memorySink();
    const sessions = started([sink]);
    const session = sessions.open({ sources: ['cli'] });
    session.end();
    session.end();
    for (const { what } of script.steps) if (what.type === 'telemetry') session.receive(what.request);
    expect(sink.spans).toEqual([]);
    expect(session.isOver).toBe(true);
    expect(sessions.stats()).toMatchObject({ sessions: { open: 0, settled: 1 } });
    expect(sessions.stats().observations.late).toBeGreaterThan(0);
  });

  test('that is discarded tells sinks nothing of what is open', () => {
    const sink = memorySink();
    const sessions = started([sink]);
    const session = sessions.open({ sources: ['cli'] });
    for (const { what } of script.steps) if (what.type === 'telemetry') session.receive(what.request);
    const told = sink.spans.length;
    session.discard();
    session.end();
    expect(sink.spans.length).toBe(told);
    expect(sink.spans.some((span) => span.kind === 'agent')).toBe(false);
    expect(sessions.stats()).toMatchObject({ sessions: { open: 0, settled: 1 } });
  });

  test('a sink that throws is counted, and harms no other', () => {
    const sink = memorySink();
    const broken: Sink = {
      ...memorySink(),
      name: 'broken',
      spanEnd: () => {
        throw new Error('broken');
      },
    };
    const sessions = started([broken, sink]);
    const session = sessions.open({ sources: ['cli'] });
    for (const { what } of script.steps) if (what.type === 'telemetry') session.receive(what.request);
    session.end();
    expect(treeText(sink.spans)).toBe(treeText(play(script, { clock: 'still' }).spans));
    expect(sessions.stats().caught).toBeGreaterThan(0);
  });

  test('stays open when the process is asked to end and somebody else decides whether it does', () => {
    const decide = (): void => undefined;
    process.on('SIGTERM', decide);
    const sink = memorySink();
    const session = started([sink]).open({ sources: ['cli'] });
    process.listeners('SIGTERM').at(0)?.('SIGTERM');
    process.off('SIGTERM', decide);
    expect(session.isOver).toBe(false);
    for (const { what } of script.steps) if (what.type === 'telemetry') session.receive(what.request);
    session.end();
    expect(treeText(sink.spans)).toBe(treeText(play(script, { clock: 'still' }).spans));
  });

  test('that is open when all close is ended there', async () => {
    const sink = memorySink();
    const sessions = started([sink]);
    const session = sessions.open({ sources: ['cli'] });
    for (const { what } of script.steps) if (what.type === 'telemetry') session.receive(what.request);
    await sessions.close();
    expect(session.isOver).toBe(true);
    expect(treeText(sink.spans)).toBe(treeText(play(script, { clock: 'still' }).spans));
  });
});

test('wrong options are refused by the name of the factory', () => {
  expect(() => createSessions({ sinks: {} as never })).toThrow(/^createSessions needs `sinks`/);
});
