import type { CapturedSpan, SpanKey } from '@spanprism/core';
import { agent, at, custom, hook, llm, permission, spanId, tool } from './drafts.ts';

/** Every kind of block, an MCP tool, all figures, the user's attributes: everything that can be said. Children end first. */
const textAndTool: readonly CapturedSpan[] = [
  llm({
    id: 2,
    parent: 1,
    ms: [420, 2420],
    key: 'llm:req_011A' as SpanKey,
    requestId: 'req_011A',
    messageId: 'msg_01A',
    responseModel: 'claude-sonnet-4-5-20250929',
    firstTokenAt: at(1170.5),
    stopReason: 'tool_use',
    // 5 that no cache knew, 128955 read from it, 1253 written to it.
    usage: {
      inputTokens: 130_213,
      outputTokens: 210,
      cacheReadTokens: 128_955,
      cacheWriteTokens: 1253,
      cacheWrite5mTokens: 1253,
      cacheWrite1hTokens: 0,
      thinkingTokens: 64,
    },
    costUsd: 0.046_549_75,
    costBasis: 'cli',
    systemInstructions: ['You are a careful engineer.', 'Working folder: /srv/app'],
    toolDefinitions: [
      { name: 'Bash', description: 'Runs a command', inputSchema: { type: 'object', required: ['command'] } },
      { name: 'mcp__weather__get_weather' },
    ],
    input: [
      {
        role: 'user',
        content: [
          { type: 'text', text: 'How is the weather in "Köln"?\nSee the picture.' },
          {
            type: 'other',
            raw: { type: 'image', source: { type: 'base64', media_type: 'image/png', data: 'iVBORw0KGgo=' } },
          },
        ],
      },
    ],
    output: [
      {
        role: 'assistant',
        content: [
          { type: 'thinking', thinking: 'The tool knows.' },
          { type: 'other', raw: { type: 'redacted_thinking', data: 'EmwKAhgB' } },
          { type: 'text', text: 'Let me look.' },
          { type: 'tool_use', id: 'toolu_3', name: 'mcp__weather__get_weather', input: { city: 'Köln', days: 1 } },
        ],
      },
    ],
    bytes: { input: 120, output: 160, systemInstructions: 51, toolDefinitions: 310 },
  }),
  tool({
    id: 3,
    parent: 1,
    ms: [2300, 2900],
    toolName: 'mcp__weather__get_weather',
    mcpServer: 'weather',
    requestedByLlmSpanId: spanId(2),
    executionStartedAt: at(2350.25),
    input: { city: 'Köln', days: 1 },
    output: [{ type: 'text', text: '{"sky":"grey"}' }],
    bytes: { input: 25, output: 40 },
  }),
  llm({
    id: 4,
    parent: 1,
    ms: [2950, 4000],
    requestId: 'req_011B',
    messageId: 'msg_01B',
    firstTokenAt: at(3950),
    stopReason: 'end_turn',
    usage: { inputTokens: 130_500, outputTokens: 12 },
    input: [
      {
        role: 'user',
        content: [
          {
            type: 'tool_result',
            toolUseId: 'toolu_3',
            content: [{ type: 'text', text: '{"sky":"grey"}' }],
            isError: false,
          },
          { type: 'text', text: 'Be short.' },
        ],
      },
    ],
    output: [{ role: 'assistant', content: [{ type: 'text', text: 'Grey.' }] }],
  }),
  agent({
    id: 1,
    ms: [0, 4010],
    key: 'turn:5b9b0c0e' as SpanKey,
    agentName: 'weather-bot',
    trigger: 'prompt',
    requestModel: 'claude-sonnet-4-5',
    cwd: '/srv/app',
    permissionMode: 'default',
    cliVersion: '2.1.329',
    toolNames: ['Bash', 'mcp__weather__get_weather'],
    turnCount: 2,
    llmCalls: 2,
    toolCalls: 1,
    startupMs: 310.5,
    input: [{ role: 'user', content: [{ type: 'text', text: 'How is the weather in "Köln"?\nSee the picture.' }] }],
    output: [{ role: 'assistant', content: [{ type: 'text', text: 'Grey.' }] }],
    totals: {
      usage: { inputTokens: 261_000, outputTokens: 240, cacheReadTokens: 128_955 },
      costUsd: 0.09,
      byModel: { 'claude-sonnet-4-5': { usage: { inputTokens: 261_000, outputTokens: 240 }, costUsd: 0.09 } },
    },
    unattributed: { usage: { inputTokens: 287, outputTokens: 18 }, costUsd: 0.0012 },
    issues: [
      { code: 'unattributed', message: 'Calls that no source showed.', values: { inputTokens: 287 } },
      { code: 'unattributed', message: 'Costs that no source showed.' },
    ],
    attributes: {
      'user.id': 'u-17',
      project: 'weather',
      'gen_ai.usage.input_tokens': 1,
      'claude.outcome': 'mine',
      beta: true,
    },
  }),
];

/** Two subagents at once, of different types, below their `Agent` calls; one of them goes on in the background. */
const parallelSubagents: readonly CapturedSpan[] = [
  llm({
    id: 2,
    parent: 1,
    ms: [0, 900],
    messageId: 'msg_02A',
    stopReason: 'tool_use',
    usage: { inputTokens: 900, outputTokens: 80 },
  }),
  llm({
    id: 7,
    parent: 5,
    ms: [950, 2000],
    agentName: 'Explore',
    requestModel: 'claude-haiku-4-5',
    messageId: 'msg_02C',
    stopReason: 'end_turn',
    usage: { inputTokens: 300, outputTokens: 20 },
  }),
  agent({ id: 5, parent: 3, ms: [920, 2010], role: 'subagent', agentName: 'Explore', agentId: 'a51e', llmCalls: 1 }),
  tool({ id: 3, parent: 1, ms: [880, 2020], toolName: 'Agent', requestedByLlmSpanId: spanId(2), output: 'Found it.' }),
  tool({ id: 4, parent: 1, ms: [885, 930], toolName: 'Agent', requestedByLlmSpanId: spanId(2), inBackground: true }),
  agent({ id: 1, ms: [0, 2500], llmCalls: 1, toolCalls: 2 }),
  llm({
    id: 8,
    parent: 6,
    ms: [940, 4000],
    agentName: 'reviewer',
    messageId: 'msg_02D',
    stopReason: 'max_tokens',
    usage: { inputTokens: 310, outputTokens: 4096 },
  }),
  agent({
    id: 6,
    parent: 4,
    ms: [930, 4100],
    role: 'subagent',
    agentName: 'reviewer',
    agentId: 'b7c2',
    isSegment: true,
    llmCalls: 1,
  }),
];

/** A call answered at the second try, and one that failed for good. */
const errorAndRetry: readonly CapturedSpan[] = [
  llm({
    id: 2,
    parent: 1,
    ms: [0, 3000],
    requestId: 'req_03A',
    attempts: 2,
    stopReason: 'end_turn',
    usage: { inputTokens: 12, outputTokens: 4 },
    events: [
      {
        name: 'retry',
        at: at(500),
        attributes: { attempt: 1, max_retries: 10, retry_delay_ms: 612.5, status_code: 529, error: 'overloaded' },
        content: 'Overloaded',
      },
    ],
  }),
  llm({
    id: 3,
    parent: 1,
    ms: [3000, 3100],
    requestId: 'req_03B',
    status: 'error',
    error: { type: 'invalid_request_error', message: 'messages: at least one message is required' },
    attempts: 1,
    issues: [
      {
        code: 'conflict',
        message: 'The CLI and the stream give different figures for one call.',
        field: 'outputTokens',
        values: { cli: 4, partials: 5 },
      },
    ],
  }),
  agent({
    id: 1,
    ms: [0, 3110],
    status: 'error',
    outcome: 'api_error',
    error: { type: 'api_error', message: '' },
    llmCalls: 2,
  }),
];

/** Asked, denied, and a hook that blocked another call; the user's own step around it. */
const denied: readonly CapturedSpan[] = [
  permission({ id: 4, parent: 3, ms: [1000, 4000], toolCallId: 'toolu_3', decision: 'deny', decidedBy: 'host' }),
  tool({
    id: 3,
    parent: 2,
    ms: [1000, 4001],
    status: 'error',
    error: { type: 'permission_denied', message: 'not on my machine' },
    denied: { decidedBy: 'host' },
    input: { command: 'rm -rf /' },
    output: 'not on my machine',
    bytes: { input: 22, output: 17 },
  }),
  hook({ id: 6, parent: 5, ms: [4100, 4150], blocked: true }),
  tool({
    id: 5,
    parent: 2,
    ms: [4100, 4160],
    status: 'error',
    error: { type: 'permission_denied', message: 'permission denied' },
    denied: { decidedBy: 'hook' },
  }),
  agent({ id: 2, parent: 1, ms: [0, 5000], permissionDenials: 2, toolCalls: 2 }),
  custom({ id: 1, ms: [0, 5001], attributes: { 'user.id': 'u-17' } }),
];

/** The user interrupted while text was coming: cut, not failed. */
const streamingCut: readonly CapturedSpan[] = [
  llm({
    id: 2,
    parent: 1,
    ms: [0, 1500],
    messageId: 'msg_05A',
    status: 'cancelled',
    firstTokenAt: at(700),
    usage: { inputTokens: 30 },
    output: [{ role: 'assistant', content: [{ type: 'text', text: 'Once upon a' }] }],
    issues: [{ code: 'stream_cut', message: 'The answer was cut; its output tokens are not known.' }],
    bytes: { output: 11 },
  }),
  tool({ id: 3, parent: 1, ms: [1400, 1500], status: 'cancelled', toolName: 'Read' }),
  agent({ id: 1, ms: [0, 1510], status: 'cancelled', outcome: 'interrupted', llmCalls: 1, toolCalls: 1 }),
];

export const SAMPLE_TRACES: Readonly<Record<string, readonly CapturedSpan[]>> = {
  'text-and-tool': textAndTool,
  'parallel-subagents': parallelSubagents,
  'error-and-retry': errorAndRetry,
  denied,
  'streaming-cut': streamingCut,
};
