import { expect, test } from 'vitest';
import type { ContentBlock, Message } from '@spanprism/core';
import { chatMessages, finishReason, genaiDialect, outputMessages } from '@spanprism/core/dialect';
import { instructionFaults, messageFaults, SAMPLE_TRACES } from '@spanprism/testkit/samples';

function other(raw: unknown): ContentBlock {
  return { type: 'other', raw };
}

const EVERY_BLOCK: readonly Message[] = [
  {
    role: 'user',
    content: [
      { type: 'text', text: '' },
      other({ type: 'image', source: { type: 'url', url: 'https://example.org/a.png' } }),
      other({ type: 'image', source: { type: 'file', file_id: 'file_1' } }),
      other({ type: 'document', source: { type: 'base64', media_type: 'application/pdf', data: 'JVBERi0=' } }),
      other({ type: 'document', source: { type: 'text', media_type: 'text/plain', data: 'plain words' } }),
      other({ type: 'document', source: { type: 'content', content: [] }, title: 'kept' }),
      { type: 'tool_result', toolUseId: 'toolu_1', content: undefined, isError: true },
    ],
  },
  {
    role: 'assistant',
    content: [
      other({ type: 'redacted_thinking', data: 'secret' }),
      other({ type: 'server_tool_use', id: 'srvtoolu_1', name: 'web_search', input: { query: 'otlp' } }),
      other({ type: 'mcp_tool_use', id: 'mcptoolu_1', name: 'echo', server_name: 'x', input: 'text' }),
      other({ type: 'web_search_tool_result', tool_use_id: 'srvtoolu_1', content: [] }),
      other({ type: 'compaction', content: 'what was said' }),
      other({ type: 'invented_tomorrow', shape: [1, 2] }),
      other('no object'),
      other(null),
    ],
  },
  { role: 'user', content: [] },
];

test('every block becomes a part that the schema of the conventions allows', () => {
  expect(chatMessages(EVERY_BLOCK).flatMap(messageFaults)).toEqual([]);
});

test('what the sample traces send passes the schema of the conventions', () => {
  const dialect = genaiDialect();
  const attributes = Object.values(SAMPLE_TRACES).flatMap((spans) => spans.map((span) => dialect.attributes(span)));
  const parsed = (key: string): unknown[] =>
    attributes.flatMap((all) => (all[key] === undefined ? [] : (JSON.parse(String(all[key])) as unknown[])));
  const messages = [...parsed('gen_ai.input.messages'), ...parsed('gen_ai.output.messages')];
  expect(messages.length).toBeGreaterThan(5);
  expect(messages.flatMap(messageFaults)).toEqual([]);
  expect(instructionFaults(parsed('gen_ai.system_instructions'))).toEqual([]);
});

test('the schema bites', () => {
  expect(messageFaults({ role: 'tool', parts: [{ type: 'tool_call_response', id: 'a', result: 1 }] })).toHaveLength(1);
  expect(messageFaults({ role: 'user', content: 'x' })).toHaveLength(1);
  expect(messageFaults({ role: 'user', parts: [{ type: 'text' }] })).toHaveLength(1);
});

test('tool results leave the user’s message for the role tool, in the order sent', () => {
  const result = (id: string): ContentBlock => ({ type: 'tool_result', toolUseId: id, content: id, isError: false });
  const content = [result('a'), result('b'), { type: 'text', text: 'and now' } as const, result('c')];
  expect(chatMessages([{ role: 'user', content }])).toEqual([
    {
      role: 'tool',
      parts: [
        { type: 'tool_call_response', id: 'a', response: 'a' },
        { type: 'tool_call_response', id: 'b', response: 'b' },
      ],
    },
    { role: 'user', parts: [{ type: 'text', content: 'and now' }] },
    { role: 'tool', parts: [{ type: 'tool_call_response', id: 'c', response: 'c' }] },
  ]);
});

test('the words behind redacted thinking stay behind', () => {
  expect(JSON.stringify(chatMessages(EVERY_BLOCK))).not.toContain('secret');
});

// The mapping of the conventions' document; what they have no word for is passed on.
test.each([
  ['end_turn', 'stop'],
  ['stop_sequence', 'stop'],
  ['max_tokens', 'length'],
  ['tool_use', 'tool_call'],
  ['refusal', 'content_filter'],
  ['pause_turn', 'pause_turn'],
  ['constructor', 'constructor'],
])('%s is %s', (anthropic, conventions) => {
  expect(finishReason(anthropic)).toBe(conventions);
});

test('the finish reason stands on each answer, or on none', () => {
  const messages: readonly Message[] = [{ role: 'assistant', content: [{ type: 'text', text: 'Hi' }] }];
  expect(outputMessages(messages, 'stop')[0]).toHaveProperty('finish_reason', 'stop');
  expect(outputMessages(messages)[0]).not.toHaveProperty('finish_reason');
});
