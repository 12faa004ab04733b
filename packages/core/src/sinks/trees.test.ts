import { stripVTControlCharacters } from 'node:util';
import { describe, expect, test } from 'vitest';
import type { SpanId, SpanKey, TraceId } from '../model/ids.ts';
import type { AgentSpan, LlmSpan, Span, ToolSpan } from '../model/span.ts';
import { renderTree } from './render-tree.ts';
import { treeText } from './tree-text.ts';

const MS = 1_000_000n;

/** Common fields of a span: its id is its key, times in milliseconds. */
function at(id: string, parent: string | undefined, [startMs, endMs]: readonly [number, number]) {
  return {
    key: id as SpanKey,
    traceId: 'trace' as TraceId,
    spanId: id as SpanId,
    ...(parent === undefined ? {} : { parentSpanId: parent as SpanId }),
    startedAt: BigInt(startMs) * MS,
    endedAt: BigInt(endMs) * MS,
    status: 'ok',
    events: [],
    seenBy: ['sdk'],
    issues: [],
    attributes: {},
  } as const;
}

const agent = {
  kind: 'agent',
  role: 'main',
  agentName: 'claude',
  outcome: 'completed',
  llmCalls: 0,
  toolCalls: 0,
  permissionDenials: 0,
} as const;
const llm = {
  kind: 'llm',
  requestModel: 'sonnet',
  provider: 'anthropic',
  agentName: 'claude',
  attempts: 1,
  purpose: 'turn',
} as const;
const tool = { kind: 'tool', toolType: 'function', agentName: 'claude', inBackground: false } as const;

const turn: AgentSpan = {
  ...at('turn', undefined, [1_000, 4_210]),
  ...agent,
  llmCalls: 2,
  toolCalls: 2,
  totals: { usage: { inputTokens: 1_250, outputTokens: 66, cacheReadTokens: 1_000 }, costUsd: 0.0123 },
};
const call: LlmSpan = {
  ...at('call', 'turn', [1_012, 2_112]),
  ...llm,
  requestId: 'req_1',
  responseModel: 'claude-sonnet-4-5',
  usage: { inputTokens: 1_200, outputTokens: 56 },
  costUsd: 0.0119,
};
const launch: ToolSpan = {
  ...at('launch', 'turn', [2_100, 2_130]),
  ...tool,
  toolName: 'Agent',
  toolCallId: 'toolu_1',
  inBackground: true,
};
const subagent: AgentSpan = {
  ...at('sub', 'launch', [2_120, 3_000]),
  ...agent,
  role: 'subagent',
  agentName: 'Explore',
  outcome: 'api_error',
  status: 'error',
};
const failed: LlmSpan = {
  ...at('failed', 'sub', [2_130, 2_900]),
  ...llm,
  messageId: 'msg_2',
  purpose: 'title',
  attempts: 3,
  status: 'error',
  error: { type: 'overloaded_error', message: 'Overloaded\nagain' },
};
const denied: ToolSpan = {
  ...at('denied', 'turn', [3_100, 3_200]),
  ...tool,
  toolName: 'Bash',
  toolCallId: 'toolu_2',
  status: 'error',
  denied: { decidedBy: 'user' },
  input: { command: 'rm -rf /\n' },
};
const wait: Span = {
  ...at('wait', 'denied', [3_100, 3_190]),
  kind: 'permission',
  toolCallId: 'toolu_2',
  toolName: 'Bash',
  decision: 'deny',
  decidedBy: 'user',
};
const hook: Span = {
  ...at('hook', 'turn', [3_090, 3_095]),
  kind: 'hook',
  hookEvent: 'PreToolUse',
  hookName: 'PreToolUse:Bash',
  blocked: false,
};
const step: Span = { ...at('step', 'gone', [900, 5_000]), kind: 'custom', name: 'review' };
const all = [wait, denied, hook, failed, subagent, launch, call, turn, step];

describe('the text of golden files', () => {
  test('has one line per span, siblings by their start, and no times', () => {
    expect(treeText(all)).toBe(
      [
        'custom review ok',
        'agent main completed',
        '  llm turn req_1 claude-sonnet-4-5 in=1200 out=56 cost=0.011900 ok',
        '  tool Agent toolu_1 ok background',
        '    agent Explore api_error',
        '      llm title msg_2 sonnet error',
        '  tool Bash toolu_2 denied',
        '    permission deny user',
        '',
      ].join('\n'),
    );
  });

  test('shows hooks to those who ask', () => {
    expect(treeText([hook], { hooks: true })).toBe('hook PreToolUse PreToolUse:Bash\n');
    expect(treeText([hook])).toBe('');
  });

  test('orders spans of one instant by their keys, however they arrive', () => {
    const twins = ['b', 'a', 'c'].map((id): Span => ({ ...at(id, undefined, [1, 2]), kind: 'custom', name: id }));
    expect(treeText(twins)).toBe('custom a ok\ncustom b ok\ncustom c ok\n');
    expect(treeText(twins.toReversed())).toBe(treeText(twins));
  });

  test('loses no span, even of parents that are each other’s children', () => {
    const circle: Span[] = [
      { ...at('x', 'y', [1, 2]), kind: 'custom', name: 'x' },
      { ...at('y', 'x', [2, 3]), kind: 'custom', name: 'y' },
      { ...at('self', 'self', [3, 4]), kind: 'custom', name: 'self' },
    ];
    expect(treeText(circle)).toBe('custom x ok\n  custom y ok\ncustom self ok\n');
  });

  test('stays one line per span whatever the names are', () => {
    expect(treeText([{ ...denied, toolName: 'Ba\nsh\u001b[2J' }])).toBe('tool Ba sh\ufffd[2J toolu_2 denied\n');
  });
});

describe('the tree for people', () => {
  test('shows when, how long, what it used and how it ended', () => {
    expect(renderTree(all.filter((span) => span !== step))).toBe(
      [
        '     +0 ms    3.21 s  ✓ claude                   completed · 1,250 in (1,000 cached) → 66 out · $0.0123 · 2 calls · 2 tools',
        '    +12 ms    1.10 s  ├─ ✓ claude-sonnet-4-5     1,200 in → 56 out · $0.0119',
        '   +1.10 s     30 ms  ├─ ✓ Agent                 in background',
        '   +1.12 s    880 ms  │  └─ ✗ Explore            api_error',
        '   +1.13 s    770 ms  │     └─ ✗ title sonnet    3 attempts  overloaded_error: Overloaded again',
        '   +2.09 s      5 ms  ├─ ✓ hook PreToolUse:Bash',
        '   +2.10 s    100 ms  └─ ✗ Bash                  rm -rf /  denied by user',
        '   +2.10 s     90 ms     └─ ✓ permission Bash    deny by user',
        '',
      ].join('\n'),
    );
  });

  test('can leave the times out and keeps to the width of the screen', () => {
    const lines = renderTree([turn, call], { times: false, columns: 30 }).split('\n');
    expect(lines).toEqual(['✓ claude                1,250…', '└─ ✓ claude-sonnet-4-5  1,200…', '']);
  });

  test('shows lines below a span under its branches, and says how much room they have', () => {
    const rooms: number[] = [];
    const text = renderTree([turn, call, launch, subagent], {
      times: false,
      columns: 40,
      below: (span, cells) => {
        rooms.push(cells);
        return span.kind === 'tool' || span.kind === 'agent' ? [[['plain', 'first of two']], [['dim', '']]] : [];
      },
    });
    expect(text.split('\n').map((line) => line.slice(0, 24).trimEnd())).toEqual(
      [
        '✓ claude                ',
        '│  first of two',
        '│',
        '├─ ✓ claude-sonnet-4-5  ',
        '└─ ✓ Agent              ',
        '   │  first of two',
        '   │',
        '   └─ ✗ Explore         ',
        '         first of two',
        '',
        '',
      ].map((line) => line.trimEnd()),
    );
    expect(rooms).toEqual([37, 34, 34, 31]);
  });

  test('counts times from where it is told, in columns that hold the longest', () => {
    const later: Span = { ...turn, spanId: 'later' as SpanId, startedAt: 93_784_000n * MS, endedAt: 139_024_000n * MS };
    const text = renderTree([turn, later], { origin: 0n });
    expect(text.split('\n').map((line) => line.slice(0, 32))).toEqual([
      '   +1.00 s      3.21 s  ✓ claude',
      '',
      '  +1 d 2 h 12 h 34 min  ✓ claude',
      '',
    ]);
  });

  test('names only the type of a failure where its words are shown below', () => {
    const lines = renderTree(
      [failed, denied, { ...subagent, error: { type: 'api_error', message: 'API Error: 529' } }],
      {
        times: false,
        failures: 'type',
      },
    ).split('\n');
    expect(lines).toEqual([
      '✗ Explore          api_error',
      '└─ ✗ title sonnet  3 attempts  overloaded_error',
      '',
      '✗ Bash  rm -rf /  denied by user',
      '',
    ]);
  });

  test('tells less of tokens on a narrow screen rather than nothing of cost', () => {
    const cached = { ...call, usage: { ...call.usage, cacheReadTokens: 1_000 } };
    expect(renderTree([turn, cached], { times: false, columns: 60 }).split('\n')).toEqual([
      '✓ claude                1,250 in → 66 out · $0.0123 · 2 cal…',
      '└─ ✓ claude-sonnet-4-5  1,200 in → 56 out · $0.0119',
      '',
    ]);
    expect(renderTree([cached], { times: false, columns: 70 })).toBe(
      '✓ claude-sonnet-4-5  1,200 in (1,000 cached) → 56 out · $0.0119\n',
    );
  });

  test('says what no call accounts for', () => {
    expect(renderTree([{ ...turn, unattributed: { usage: { inputTokens: 7 }, costUsd: 0.5 } }])).toContain(
      'unattributed 7 in → ? out · $0.5000',
    );
  });

  test('paints only when told so, and never lets content paint', () => {
    const hostile: Span = { ...call, responseModel: 'evil\u001b]0;title\u0007\u009b31m\u202e' };
    expect(renderTree([hostile]).trimEnd()).not.toMatch(/[\p{Cc}\p{Cf}]/u);
    const painted = renderTree([hostile], { color: true });
    expect(stripVTControlCharacters(painted)).toBe(renderTree([hostile]));
    expect(painted).toContain('\u001b[32m✓ \u001b[0m');
  });
});
