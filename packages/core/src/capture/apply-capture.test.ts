import { describe, expect, test } from 'vitest';
import type { CaptureOptions } from '../model/capture-options.ts';
import type { SpanId, SpanKey, TraceId } from '../model/ids.ts';
import type { Message } from '../model/message.ts';
import type { CapturedSpan } from '../model/sink.ts';
import type { AgentSpan, LlmSpan, Span, ToolSpan } from '../model/span.ts';
import { applyCapture } from './apply-capture.ts';
import { resolveCapture } from './policy.ts';

const CANARY = 'c4nary';

const base = {
  key: 'tool:msg_1/toolu_1' as SpanKey,
  traceId: '0af7651916cd43dd8448eb211c80319c' as TraceId,
  spanId: 'b7ad6b7169203331' as SpanId,
  sessionId: 'session-1',
  startedAt: 1_000_000_000n,
  endedAt: 3_000_000_000n,
  status: 'error',
  error: { type: 'ShellError', message: `${CANARY} failed` },
  events: [{ name: 'retry', at: 2_000_000_000n, attributes: { status_code: 529 }, content: CANARY }],
  seenBy: ['sdk', 'cli'],
  issues: [],
  attributes: { userId: 'user-1', weight: 2 },
} as const satisfies Partial<Span>;

const user = (text: string): Message => ({ role: 'user', content: [{ type: 'text', text }] });
const said: Message = {
  role: 'assistant',
  content: [
    { type: 'thinking', thinking: `${CANARY} thought` },
    { type: 'text', text: `${CANARY} said` },
    { type: 'tool_use', id: 'toolu_1', name: 'Bash', input: { command: `${CANARY} ran` } },
    { type: 'other', raw: { type: 'redacted_thinking', data: CANARY } },
  ],
};
const result: Message = {
  role: 'user',
  content: [{ type: 'tool_result', toolUseId: 'toolu_1', content: [{ type: 'text', text: CANARY }], isError: false }],
};

const agent: AgentSpan = {
  ...base,
  kind: 'agent',
  role: 'main',
  agentName: 'claude',
  outcome: 'completed',
  cwd: `/home/${CANARY}`,
  input: [user(CANARY)],
  output: [said],
  toolNames: ['Bash', 'mcp__calc__add'],
  llmCalls: 2,
  toolCalls: 1,
  permissionDenials: 0,
};

const llm: LlmSpan = {
  ...base,
  kind: 'llm',
  requestModel: 'claude-sonnet-4-5',
  provider: 'anthropic',
  requestId: 'req_1',
  agentName: 'claude',
  usage: { inputTokens: 10, outputTokens: 2 },
  costUsd: 0.01,
  attempts: 2,
  purpose: 'turn',
  input: [user(CANARY), result],
  output: [said],
  systemInstructions: [CANARY],
  toolDefinitions: [{ name: 'Bash', description: CANARY, inputSchema: { [CANARY]: CANARY } }],
};

const tool: ToolSpan = {
  ...base,
  kind: 'tool',
  toolName: 'mcp__calc__add',
  toolCallId: 'toolu_1',
  mcpServer: 'calc',
  toolType: 'extension',
  agentName: 'claude',
  inBackground: false,
  denied: { decidedBy: 'rule' },
  input: { command: CANARY, nested: [{ path: `/etc/${CANARY}` }] },
  output: CANARY,
};

const spans: readonly Span[] = [
  agent,
  llm,
  tool,
  { ...base, kind: 'permission', toolCallId: 'toolu_1', toolName: 'Bash', decision: 'deny', decidedBy: 'user' },
  { ...base, kind: 'hook', hookEvent: 'PreToolUse', hookName: 'PreToolUse:Bash', blocked: true },
  { ...base, kind: 'custom', name: 'review' },
];

const ended = { sessionId: 's', endedAt: 3n, error: { type: 'ShellError', message: 'a' } } as const;

function json(value: unknown): string {
  return JSON.stringify(value, (_, item: unknown) => (typeof item === 'bigint' ? String(item) : item));
}

function capture<S extends Span>(span: S, options?: CaptureOptions): CapturedSpan<S> {
  return applyCapture(span, resolveCapture(options, { environment: {} }));
}

function frozen<T>(value: T): T {
  if (typeof value === 'object' && value !== null && !Object.isFrozen(value))
    Object.values(Object.freeze(value)).forEach(frozen);
  return value;
}

const anyTool = (input: unknown, options: CaptureOptions = 'full'): unknown =>
  capture({ ...tool, input }, options).input;

describe('everything that a span can have', () => {
  const place = { parentSpanId: base.spanId, parentIsRemote: true, traceIsSampled: true } as const;
  const totals = { usage: { inputTokens: 1 }, costUsd: 1 };
  // `Required`: whoever adds a field has to say here what it is, and in the copy what becomes of it.
  const whole: readonly [Required<AgentSpan>, Required<LlmSpan>, Required<ToolSpan>] = [
    {
      ...agent,
      ...place,
      cwd: '/srv',
      input: [user('a')],
      output: [said],
      toolNames: ['Bash'],
      agentId: 'agent-1',
      trigger: 'prompt',
      requestModel: 'm',
      permissionMode: 'default',
      cliVersion: '2',
      turnCount: 2,
      startupMs: 1,
      totals,
      unattributed: totals,
      isSegment: true,
      ...ended,
    },
    {
      ...llm,
      ...place,
      ...ended,
      responseModel: 'm',
      requestId: 'req_1',
      messageId: 'msg_1',
      usage: { inputTokens: 1 },
      costUsd: 1,
      costBasis: 'cli',
      stopReason: 'end_turn',
      firstTokenAt: 2n,
      input: [user('a')],
      output: [said],
      systemInstructions: ['a'],
      toolDefinitions: [{ name: 'Bash' }],
    },
    {
      ...tool,
      ...place,
      ...ended,
      mcpServer: 'calc',
      requestedByLlmSpanId: base.spanId,
      executionStartedAt: 2n,
      denied: { decidedBy: 'rule' },
      input: { a: 1 },
      output: 'a',
    },
  ];

  test.each(whole)('is in the full copy of a $kind span', (span) => {
    const { contentBytes: _, ...copy } = capture<Span>(span, 'full');
    expect(copy).toEqual(span);
  });
});

describe('metadata only', () => {
  test.each(spans)('lets no content of a $kind span out', (span) => {
    expect(json(span)).toContain(CANARY);
    expect(json(capture(span))).not.toContain(CANARY);
  });

  test('keeps names, numbers, times, ids and the sizes of what is gone', () => {
    const { contentBytes, input, output, error, events, ...kept } = capture(tool);
    expect(kept).toEqual({
      ...base,
      kind: 'tool',
      toolName: 'mcp__calc__add',
      toolCallId: 'toolu_1',
      mcpServer: 'calc',
      toolType: 'extension',
      agentName: 'claude',
      inBackground: false,
      denied: { decidedBy: 'rule' },
      error: undefined,
      events: undefined,
    });
    expect([input, output]).toEqual([undefined, undefined]);
    // 'c4nary' + '/etc/c4nary'
    expect(contentBytes).toEqual({ input: 17, output: 6 });
    expect(error).toEqual({ type: 'ShellError', message: 'ShellError' });
    expect(events).toEqual([{ name: 'retry', at: 2_000_000_000n, attributes: { status_code: 529 } }]);
  });

  test('has no field without a value', () => {
    for (const span of spans) expect(Object.values(capture(span))).not.toContain(undefined);
  });

  test('counts bytes of UTF-8, not units of UTF-16', () => {
    expect(capture({ ...agent, input: [user('aä€😀')], output: [] }).contentBytes).toEqual({
      input: 1 + 2 + 3 + 4,
      output: 0,
    });
  });

  test('cuts a name that is none, and takes a secret out of it', () => {
    expect(capture({ ...tool, toolName: 'x'.repeat(500) }).toolName).toHaveLength(200);
    expect(capture({ ...tool, toolName: `sk-ant-${'a1'.repeat(20)}` }).toolName).toBe('[redacted: anthropic key]');
  });

  test('keeps the user’s attributes, without the secrets in them', () => {
    const attributes = { userId: 'user-1', key: `sk-ant-${'a1'.repeat(20)}`, count: 3 };
    expect(capture({ ...tool, attributes }).attributes).toEqual({ ...attributes, key: '[redacted: anthropic key]' });
  });

  test('does not ask the redactor about what is left out', () => {
    let asked = 0;
    capture({ ...tool, attributes: {} }, { redact: (text) => `${(asked += 1)}${text}` });
    expect(asked).toBe(0);
  });
});

describe('fields', () => {
  test('full lets everything out', () => {
    const { contentBytes, ...captured } = capture(llm, 'full');
    expect(captured).toEqual(llm);
    expect(capture(agent, 'full')).toMatchObject(agent);
    expect(contentBytes).toEqual({
      input: 6 + 'text'.length + 6,
      output: 14 + 11 + 10 + 'redacted_thinking'.length + 6,
      systemInstructions: 6,
      toolDefinitions: 4 + 6 + 6,
    });
  });

  test('each lets out its own and nothing else', () => {
    const { input, output } = capture(llm, { prompts: true });
    expect({ input, output }).toEqual({ input: [user(CANARY)], output: undefined });
    expect(capture(llm, { outputs: true }).output).toEqual([{ role: 'assistant', content: [said.content[1]] }]);
    expect(capture(llm, { outputs: true, thinking: true }).output?.[0]?.content).toEqual([
      said.content[0],
      said.content[1],
      said.content[3],
    ]);
    expect(capture(llm, { toolInputs: true }).output).toEqual([{ role: 'assistant', content: [said.content[2]] }]);
    expect(capture(llm, { toolOutputs: true }).input).toEqual([result]);
    expect(capture(llm, { systemInstructions: true })).toMatchObject({
      systemInstructions: [CANARY],
      toolDefinitions: llm.toolDefinitions,
    });
    expect(capture(agent, { location: true }).cwd).toBe(`/home/${CANARY}`);
    const { error, events } = capture(tool, { errors: true });
    expect([error?.message, events[0]?.content]).toEqual([`${CANARY} failed`, CANARY]);
  });

  test('a message’s words are those of its role, in inputs too', () => {
    const history: LlmSpan = {
      ...llm,
      input: [user('asked'), { role: 'assistant', content: [{ type: 'text', text: CANARY }] }],
    };
    expect(capture(history, { prompts: true }).input).toEqual([user('asked')]);
  });

  test('a choice by tool holds for its calls, their messages and their results', () => {
    const onlyAdd: CaptureOptions = {
      toolInputs: (name) => name === 'mcp__calc__add',
      toolOutputs: (name) => name !== 'Bash',
    };
    expect(capture(tool, onlyAdd).input).toEqual(tool.input);
    expect(capture({ ...tool, toolName: 'Bash' }, onlyAdd)).not.toHaveProperty('input');
    expect(capture({ ...tool, toolName: 'Bash' }, onlyAdd)).not.toHaveProperty('output');
    expect(capture(llm, onlyAdd)).not.toHaveProperty('output');
    // The result does not say whose it is.
    expect(capture(llm, onlyAdd)).not.toHaveProperty('input');
    expect(capture({ ...llm, input: [said, result] }, { toolOutputs: (name) => name === 'Bash' }).input).toEqual([
      result,
    ]);
  });
});

describe('redaction', () => {
  const redact = (text: string): string => text.replaceAll(CANARY, '***');

  test('reaches every text at any depth and keeps the keys', () => {
    for (const span of spans) {
      const captured = json(capture(span, { ...everything, redact })).replaceAll(`"${CANARY}":`, '');
      expect(captured).not.toContain(CANARY);
    }
    expect(anyTool({ a: [{ [CANARY]: CANARY }] }, { toolInputs: true, redact })).toEqual({ a: [{ [CANARY]: '***' }] });
  });

  test('comes after the scanner for secrets', () => {
    const seen: string[] = [];
    const key = `sk-ant-${'a1'.repeat(20)}`;
    const look = (text: string): string => {
      seen.push(text);
      return text;
    };
    expect(anyTool({ text: `key ${key}` }, { toolInputs: true, redact: look })).toEqual({
      text: 'key [redacted: anthropic key]',
    });
    expect(seen).toContain('key [redacted: anthropic key]');
    expect(seen.join()).not.toContain(key);
  });

  test.each([
    [
      'throws',
      (): string => {
        throw new Error(CANARY);
      },
    ],
    ['returns no string', (): string => 7 as unknown as string],
  ])('that %s drops the text and says so', (_, broken) => {
    for (const span of spans) {
      const captured = capture(span, { ...everything, redact: broken });
      expect(json(captured).replaceAll(`"${CANARY}":`, '')).not.toContain(CANARY);
      expect(captured.issues.map(({ code }) => code)).toEqual(['redact_failed']);
    }
    expect(capture(tool, { toolOutputs: true, redact: broken }).output).toBe('[dropped: redact failed]');
  });

  test('finds secrets by the key that names them', () => {
    expect(
      anyTool({
        password: 'hunter2',
        DB_PASSWORD: 'x',
        Authorization: 'Token a',
        apiKey: 'k',
        tokens: 'kept',
        password_hint: 'kept',
      }),
    ).toEqual({
      password: '[redacted: value]',
      DB_PASSWORD: '[redacted: value]',
      Authorization: '[redacted: value]',
      apiKey: '[redacted: value]',
      tokens: 'kept',
      password_hint: 'kept',
    });
  });
});

const everything: CaptureOptions & object = {
  prompts: true,
  outputs: true,
  thinking: true,
  toolInputs: true,
  toolOutputs: true,
  systemInstructions: true,
  errors: true,
  location: true,
};

test('a text that is too long is cut, its size kept, and the span says so', () => {
  const output = [{ type: 'text', text: 'ä'.repeat(5_000_000) }, { ok: true }];
  const captured = capture({ ...tool, output }, 'full');
  expect(captured.output).toEqual([{ type: 'text', text: 'ä'.repeat(30_720) }, { ok: true }]);
  expect(captured.contentBytes.output).toBe(10_000_004 + 'true'.length);
  expect(captured.issues.map(({ code }) => code)).toEqual(['truncated']);
});

test('the span itself is never touched', () => {
  for (const span of spans) {
    const before = json(span);
    for (const options of ['metadata', 'full', { ...everything, redact: () => '', maxTextBytes: 3 }] as const)
      capture(frozen(span), options);
    expect(json(span)).toBe(before);
  }
});
