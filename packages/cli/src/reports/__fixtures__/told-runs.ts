import type { Span } from '@spanprism/core';
import { call, idOf, step, tool, turn } from './drafts.ts';

const usage = (inputTokens: number, cacheReadTokens: number, outputTokens: number) => ({
  inputTokens,
  cacheReadTokens,
  cacheWriteTokens: 0,
  outputTokens,
});

const asked = (text: string) => [{ role: 'user', content: [{ type: 'text', text }] }] as const;
const said = (text: string) => [{ role: 'assistant', content: [{ type: 'text', text }] }] as const;

/** One run in which a test fails, is understood and repaired by a subagent. */
const repair: readonly Span[] = [
  turn(
    { id: 'turn', at: [0, 14_200] },
    {
      input: asked('Make the tests pass'),
      output: said('All 12 tests pass now.'),
      cwd: '/home/ada/greeting',
      llmCalls: 3,
      toolCalls: 2,
      totals: { usage: usage(16_900, 12_000, 310), costUsd: 0.0211 },
    },
  ),
  call(
    { id: 'call-1', parent: 'turn', at: [350, 2_100] },
    {
      usage: usage(5_500, 4_000, 96),
      costUsd: 0.0067,
      output: [
        {
          role: 'assistant',
          content: [
            { type: 'thinking', thinking: 'I do not know yet which tests fail.\nThe quickest way to find out is to run them.' },
            { type: 'text', text: 'Let me run the tests first.' },
            { type: 'tool_use', id: 'toolu_bash', name: 'Bash', input: { command: 'npm test' } },
          ],
        },
      ],
    },
  ),
  tool(
    { id: 'bash', parent: 'turn', at: [2_105, 5_480] },
    {
      toolCallId: 'toolu_bash',
      requestedByLlmSpanId: idOf('call-1'),
      status: 'error',
      error: {
        type: 'ShellError',
        message: [
          'Exit code 1',
          '\u001b[1mgreeting.test.ts\u001b[0m',
          ...Array.from({ length: 11 }, (_, index) => `  ✓ case ${index + 1}`),
          '  \u001b[31m✗ greets by name\u001b[0m',
          '    expected "Hello, Ada" to be "Hello Ada"',
          '1 of 12 failed',
        ].join('\n'),
      },
      input: { command: 'npm test', description: 'Run the tests', timeout: 60_000 },
      output: 'Exit code 1',
    },
  ),
  call({ id: 'call-2', parent: 'turn', at: [5_500, 7_000] }, { usage: usage(5_650, 4_000, 88), costUsd: 0.0068 }),
  tool({ id: 'agent', parent: 'turn', at: [7_010, 12_900] }, { toolName: 'Agent', input: { description: 'Repair greeting.ts' } }),
  turn(
    { id: 'sub', parent: 'agent', at: [7_020, 12_890] },
    {
      role: 'subagent',
      agentName: 'general-purpose',
      outcome: 'max_turns',
      status: 'error',
      error: { type: 'max_turns', message: 'Reached maximum number of turns (1)' },
      llmCalls: 1,
      toolCalls: 1,
    },
  ),
  call(
    { id: 'call-3', parent: 'sub', at: [7_100, 9_300] },
    {
      responseModel: 'claude-haiku-4-5',
      usage: usage(2_900, 0, 88),
      costUsd: 0.0004,
      attempts: 2,
      events: [{ name: 'retry', at: 0n, attributes: { attempt: 1, status_code: 529, error: 'overloaded' } }],
    },
  ),
  tool(
    { id: 'edit', parent: 'sub', at: [9_310, 9_900] },
    {
      toolName: 'Edit',
      toolCallId: 'toolu_edit',
      status: 'error',
      error: { type: 'denied', message: 'Only files below src may be changed' },
      denied: { decidedBy: 'host' },
      input: { file_path: '/home/ada/greeting/README.md', old_string: 'Hello,', new_string: 'Hello' },
    },
  ),
  call({ id: 'call-4', parent: 'turn', at: [12_950, 14_150] }, { usage: usage(5_750, 4_000, 38), costUsd: 0.0072 }),
];

const session = 'session-2';

/** Another one, in which the API gives up, within a step of the user's own. */
const overloaded: readonly Span[] = [
  step({ id: 'review', session, at: [60_000, 75_000] }, { status: 'error', error: { type: 'Error', message: 'no answer' } }),
  turn(
    { id: 'turn', parent: 'review', session, at: [60_010, 74_000] },
    {
      input: asked('レビューして 👩‍💻'),
      outcome: 'api_error',
      status: 'error',
      error: { type: 'api_error', message: 'API Error: 529 Overloaded' },
      llmCalls: 1,
    },
  ),
  call(
    { id: 'call', parent: 'turn', session, at: [60_300, 73_900] },
    {
      status: 'error',
      error: { type: 'overloaded_error', message: 'Overloaded' },
      attempts: 3,
      input: asked('レビューして 👩‍💻'),
      events: [
        { name: 'retry', at: 0n, attributes: { attempt: 1, status_code: 529 } },
        { name: 'retry', at: 0n, attributes: { attempt: 2, status_code: 529 } },
      ],
    },
  ),
];

/** Both, with what their users say about them. */
export const TOLD_RUNS: readonly Span[] = [
  ...repair.map((span) => ({
    ...span,
    attributes: { 'user.id': 'ada', tags: '["nightly","ci"]', 'vcs.ref.head.name': 'main' },
  })),
  ...overloaded.map((span) => ({ ...span, attributes: { project: '挨拶', 'user.id': 'grace' } })),
];
