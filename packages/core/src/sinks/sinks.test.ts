import { describe, expect, test } from 'vitest';
import { applyCapture } from '../capture/apply-capture.ts';
import { resolveCapture } from '../capture/policy.ts';
import type { CaptureOptions } from '../model/capture-options.ts';
import type { SpanId, SpanKey, TraceId } from '../model/ids.ts';
import { oneLine } from '../model/one-line.ts';
import type { CapturedSpan, Sink } from '../model/sink.ts';
import type { AgentSpan, LlmSpan, Span, ToolSpan } from '../model/span.ts';
import { consoleSink, type ConsoleSinkOptions } from './console-sink.ts';
import { memorySink } from './memory-sink.ts';
import { cellsOf, formatLine } from './terminal.ts';

function common(id: string, parent?: string) {
  return {
    key: id as SpanKey,
    traceId: 'trace' as TraceId,
    spanId: id as SpanId,
    ...(parent === undefined ? {} : { parentSpanId: parent as SpanId }),
    startedAt: 0n,
    endedAt: 1_500_000_000n,
    status: 'ok',
    events: [],
    seenBy: ['sdk'],
    issues: [],
    attributes: {},
  } as const;
}

const turn: AgentSpan = {
  ...common('turn'),
  kind: 'agent',
  role: 'main',
  agentName: 'claude',
  outcome: 'completed',
  llmCalls: 2,
  toolCalls: 2,
  permissionDenials: 0,
  input: [{ role: 'user', content: [{ type: 'text', text: 'Fix the\n  typo' }] }],
};
const call: LlmSpan = {
  ...common('call', 'turn'),
  kind: 'llm',
  requestModel: 'sonnet',
  provider: 'anthropic',
  agentName: 'claude',
  attempts: 2,
  purpose: 'turn',
  usage: { inputTokens: 1_000, outputTokens: 50 },
  costUsd: 0.01,
  events: [{ name: 'retry', at: 0n, attributes: { attempt: 1, status_code: 529, error: 'overloaded' } }],
};
const launch: ToolSpan = {
  ...common('launch', 'turn'),
  kind: 'tool',
  toolName: 'Agent',
  toolCallId: 'toolu_1',
  toolType: 'function',
  agentName: 'claude',
  inBackground: true,
  input: { prompt: 'Look around' },
};
const subagent: AgentSpan = { ...turn, ...common('sub', 'launch'), role: 'subagent', agentName: 'Explore' };
const read: ToolSpan = {
  ...launch,
  ...common('read', 'sub'),
  toolName: 'Read',
  inBackground: false,
  status: 'error',
  error: { type: 'tool_error', message: 'no such file' },
  input: { file_path: '/etc/hosts' },
  output: 'x'.repeat(2_048),
};
const wait: Span = {
  ...common('wait', 'read'),
  kind: 'permission',
  toolCallId: 'toolu_2',
  toolName: 'Read',
  decision: 'allow',
  decidedBy: 'user',
};

function captured(span: Span, options: CaptureOptions = 'full'): CapturedSpan {
  return applyCapture(span, resolveCapture(options, { environment: {} }));
}

function run(capture: CaptureOptions, options: ConsoleSinkOptions = {}): string[] {
  const lines: string[] = [];
  const sink = consoleSink({
    environment: {},
    ...options,
    stream: { write: (text) => lines.push(text), ...options.stream },
  });
  const start = (span: Span): unknown => sink.spanStart?.(captured(span, capture));
  const end = (span: Span): void => sink.spanEnd(captured(span, capture));
  start(turn);
  end(call);
  start(launch);
  end(launch);
  start(subagent);
  start(read);
  end(wait);
  end(read);
  end({
    ...call,
    ...common('call-2', 'sub'),
    attempts: 1,
    usage: { inputTokens: 20, outputTokens: 3 },
    costUsd: 0.001,
  } as LlmSpan);
  end(subagent);
  end(turn);
  sink.turnEnd?.(turn.spanId);
  return lines;
}

describe('the console', () => {
  test('tells a run line by line, subagents below the call that launched them', () => {
    expect(run('full')).toEqual([
      '▶ claude Fix the typo\n',
      '  ! retry 529 overloaded\n',
      '  ✓ sonnet 1.50 s 1,000 in → 50 out · $0.0100 · 2 attempts\n',
      '  → Agent Look around\n',
      '  ✓ Agent 1.50 s in background\n',
      '    [Explore] ▶ Explore Fix the typo\n',
      '      [Explore] → Read /etc/hosts\n',
      '        [Explore] ? permission Read 1.50 s allow by user\n',
      '      [Explore] ✗ Read 1.50 s 2.0 kB tool_error: no such file\n',
      '      [Explore] ✓ sonnet 1.50 s 20 in → 3 out · $0.0010\n',
      '    [Explore] ✓ Explore completed 1.50 s 20 in → 3 out · $0.0010 · tools: Read\n',
      '✓ claude completed 1.50 s 1,020 in → 53 out · $0.0110 · tools: Agent\n',
    ]);
  });

  test('shows sizes instead of words where only metadata is captured', () => {
    const text = run('metadata').join('');
    expect(text).toContain('▶ claude (14 B)\n');
    expect(text).toContain('✗ Read 1.50 s 2.0 kB tool_error\n');
    expect(text).not.toMatch(/typo|Look|hosts|no such/);
  });

  test('paints on a terminal, unless NO_COLOR or TERM says no, or it is told', () => {
    const tty = { isTTY: true, write: undefined as never };
    const isPainted = (options: ConsoleSinkOptions): boolean => {
      const lines: string[] = [];
      const stream = { ...options.stream, write: (text: string) => lines.push(text) };
      consoleSink({ environment: {}, ...options, stream }).spanStart?.(captured(turn));
      return lines.join('').includes('\u001b[');
    };
    expect(isPainted({ stream: tty })).toBe(true);
    expect(isPainted({})).toBe(false);
    expect(isPainted({ stream: tty, environment: { NO_COLOR: '1' } })).toBe(false);
    expect(isPainted({ stream: tty, environment: { NO_COLOR: '' } })).toBe(true);
    expect(isPainted({ stream: tty, environment: { TERM: 'dumb' } })).toBe(false);
    expect(isPainted({ stream: tty, color: false })).toBe(false);
    expect(isPainted({ color: true })).toBe(true);
  });

  test('lets nothing that it shows drive the terminal', () => {
    const lines: string[] = [];
    const sink = consoleSink({ environment: {}, stream: { columns: 60, write: (text) => lines.push(text) } });
    const evil = 'a\u001b]52;c;aGk=\u0007b\r\u009b2Jc\u2028d\u202e\nfake line';
    for (const span of [
      {
        ...turn,
        agentName: evil,
        outcome: 'crashed',
        input: [{ role: 'user', content: [{ type: 'text', text: evil }] }],
      },
      { ...launch, toolName: evil, input: { command: evil }, error: { type: evil, message: evil } },
      { ...call, requestModel: evil, events: [{ name: 'retry', at: 0n, attributes: { error: evil }, content: evil }] },
      { ...common('hook', 'turn'), kind: 'hook', hookEvent: 'Stop', hookName: evil, blocked: true },
      { ...common('step'), kind: 'custom', name: evil },
    ] as Span[]) {
      sink.spanStart?.(captured(span));
      sink.spanEnd(captured(span));
    }
    expect(lines.length).toBeGreaterThan(8);
    for (const line of lines) {
      expect(line.slice(0, -1)).not.toMatch(/[\p{Cc}\u2028\u202e]/u);
      expect(line.endsWith('\n')).toBe(true);
      expect(cellsOf(line.slice(0, -1))).toBeLessThanOrEqual(60);
    }
  });

  test('tells of spans whose start it has not seen', () => {
    const lines: string[] = [];
    const sink = consoleSink({ environment: {}, stream: { write: (text) => lines.push(text) } });
    for (const span of [read, call, turn]) sink.spanEnd(captured(span, 'metadata'));
    expect(lines).toHaveLength(4);
  });
});

describe('a line', () => {
  test.each([
    ['abcdef', 6, 'abcdef'],
    ['abcdef', 5, 'abcd…'],
    ['日本語です', 6, '日本…'],
    ['a\u0301\u0301\u0301bc', 3, 'a\u0301\u0301\u0301bc'],
    ['👩‍💻👩‍💻', 4, '👩‍…'],
    ['ab', 0, '…'],
  ])('of %j on %i cells is %j', (text, columns, expected) => {
    expect(formatLine([['plain', text]], { hasColor: false, columns })).toBe(expected);
  });

  test.each([
    ['✅', 2],
    ['⚡️', 2],
    ['🇩🇪', 2],
    ['한글', 4],
    ['ﾊﾝ', 2],
    ['→ …', 3],
  ])('with %j takes %i cells', (text, cells) => {
    expect(cellsOf(text)).toBe(cells);
  });

  test('is harmless whatever its segments are', () => {
    expect(formatLine([['plain', 'a\u001b[2J\nb']], { hasColor: false })).toBe('a\ufffd[2J\ufffdb');
  });

  test('is cut before it is painted', () => {
    const segments = [
      ['bold', 'abc'],
      ['bad', 'def'],
    ] as const;
    expect(formatLine(segments, { hasColor: true, columns: 5 })).toBe('\u001b[1mabc\u001b[0m\u001b[31md\u001b[0m…');
  });

  test('holds no more of a text than fits into one', () => {
    expect(oneLine('x\t\r\n y'.repeat(100_000)).length).toBeLessThanOrEqual(401);
  });
});

describe('memory', () => {
  test('keeps ended spans in order, and forgets them when told', () => {
    const sink = memorySink();
    const given: Sink = sink;
    for (const span of [call, launch, turn]) given.spanEnd(captured(span));
    expect(sink.spans.map(({ spanId }) => spanId)).toEqual(['call', 'launch', 'turn']);
    expect(sink.stats?.()).toEqual({ delivered: 3, queued: 0, dropped: {} });
    sink.clear();
    expect(sink.spans).toEqual([]);
  });

  test('has a name and a capture of its own', () => {
    expect(memorySink()).toMatchObject({ name: 'memory' });
    expect(memorySink()).not.toHaveProperty('capture');
    expect(memorySink({ name: 'mine', capture: 'full' })).toMatchObject({ name: 'mine', capture: 'full' });
  });
});
