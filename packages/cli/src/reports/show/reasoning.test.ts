import { applyCapture, type CapturedSpan, resolveCapture, type Span } from '@spanprism/core';
import { expect, test } from 'vitest';
import { call, idOf, tool, turn } from '../__fixtures__/drafts.ts';
import { reasonings } from './reasoning.ts';

const FULL = resolveCapture('full', { environment: {} });
const captured = (...spans: readonly Span[]): readonly CapturedSpan[] => spans.map((span) => applyCapture(span, FULL));
const failed = { status: 'error', error: { type: 'ShellError', message: 'exit 1' } } as const;
const asking = (toolCallId: string) =>
  [{ role: 'assistant', content: [{ type: 'tool_use', id: toolCallId, name: 'Bash', input: {} }] }] as const;

const main = turn({ id: 'turn', at: [0, 100] });
const first = call({ id: 'first', parent: 'turn', at: [0, 10] });
const second = call({ id: 'second', parent: 'turn', at: [20, 30] });
const subagents = call({ id: 'subagents', parent: 'sub', at: [32, 38] });
const later = call({ id: 'later', parent: 'turn', at: [60, 70] });
const bash = tool({ id: 'bash', parent: 'turn', at: [40, 50] }, failed);

/** The call that is held to have led to the tool call. */
function led(...spans: readonly Span[]): string | undefined {
  return reasonings(captured(...spans)).get(idOf('bash'))?.llmSpanId;
}

test('what led to a tool call is the answer that it is linked to', () => {
  expect(led(main, first, second, { ...bash, requestedByLlmSpanId: idOf('first') })).toBe(idOf('first'));
});

test('else the answer that asks for it, in whatever order they came', () => {
  expect(led({ ...first, output: asking('toolu_bash') }, second, bash)).toBe(idOf('first'));
});

test('else the last call of the same agent that had begun by then', () => {
  expect(led(later, second, subagents, first, bash)).toBe(idOf('second'));
  expect(led(subagents, later, bash)).toBeUndefined();
});

test('nobody asks what led to a tool call that did its work', () => {
  const { error: _, ...fine } = { ...bash, status: 'ok' } as const;
  expect(led(main, first, fine)).toBeUndefined();
});
