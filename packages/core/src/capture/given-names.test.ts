import { expect, test } from 'vitest';
import type { SpanId, SpanKey, TraceId } from '../model/ids.ts';
import type { AgentSpan, LlmSpan, Span, ToolSpan } from '../model/span.ts';
import { applyCapture } from './apply-capture.ts';
import { resolveCapture } from './policy.ts';

const policy = resolveCapture('full', { environment: {} });
const LONG = 'ä'.repeat(5_000_000);

const base = {
  key: `llm:${LONG}` as SpanKey,
  traceId: 'a'.repeat(32) as TraceId,
  spanId: 'b'.repeat(16) as SpanId,
  sessionId: LONG,
  startedAt: 0n,
  endedAt: 1n,
  status: 'ok',
  events: [],
  seenBy: ['cli'],
  issues: [],
  attributes: {},
  agentName: LONG,
} as const;

const SPANS: readonly Span[] = [
  {
    ...base,
    kind: 'llm',
    requestModel: LONG,
    responseModel: LONG,
    provider: LONG,
    requestId: LONG,
    messageId: LONG,
    stopReason: LONG,
    attempts: 1,
    purpose: 'turn',
  } satisfies LlmSpan,
  {
    ...base,
    kind: 'tool',
    toolName: LONG,
    toolCallId: LONG,
    mcpServer: LONG,
    toolType: 'function',
    inBackground: false,
  } satisfies ToolSpan,
  {
    ...base,
    kind: 'agent',
    role: 'main',
    agentId: LONG,
    outcome: 'completed',
    requestModel: LONG,
    permissionMode: LONG,
    cliVersion: LONG,
    toolNames: ['Bash', LONG],
    llmCalls: 0,
    toolCalls: 0,
    permissionDenials: 0,
  } satisfies AgentSpan,
];

/** Every text within. */
function textsOf(value: unknown): readonly string[] {
  if (typeof value === 'string') return [value];
  return typeof value === 'object' && value !== null ? Object.values(value).flatMap(textsOf) : [];
}

test.each(SPANS.map((span) => [span.kind, span] as const))(
  'no id and no name of an %s span is of any length: it is cut between characters, and the span says so',
  (_kind, span) => {
    const captured = applyCapture(span, policy);
    for (const text of textsOf(captured)) {
      expect(Buffer.byteLength(text)).toBeLessThanOrEqual(1_024);
      expect(text).not.toContain('\u{fffd}');
    }
    expect(captured.issues.map(({ code }) => code)).toEqual(['truncated']);
    expect(span.sessionId).toBe(LONG);
  },
);

test('names that are merely long stay as they are', () => {
  const arn = `arn:aws:bedrock:eu-central-1:123456789012:application-inference-profile/${'x'.repeat(64)}`;
  const [llm] = SPANS as readonly [LlmSpan];
  const names = {
    key: 'llm:req_1' as SpanKey,
    sessionId: 's',
    agentName: 'claude',
    requestId: 'req_1',
    messageId: 'm',
  };
  const span: LlmSpan = { ...llm, ...names, provider: 'aws.bedrock', stopReason: 'end_turn', responseModel: arn };
  expect(applyCapture({ ...span, requestModel: arn }, policy)).toMatchObject({ requestModel: arn, issues: [] });
});

test('what counts are bytes: a name of fewer letters that take three each is cut too', () => {
  const [llm] = SPANS as readonly [LlmSpan];
  const names = { key: 'llm:req_1' as SpanKey, sessionId: 's', agentName: 'claude', requestId: 'r', messageId: 'm' };
  const span: LlmSpan = { ...llm, ...names, provider: 'p', stopReason: 'end_turn', responseModel: 'x' };
  expect(applyCapture({ ...span, requestModel: '模'.repeat(400) }, policy)).toMatchObject({
    requestModel: '模'.repeat(341),
    issues: [{ code: 'truncated' }],
  });
});
