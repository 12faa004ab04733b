import { expect, test } from 'vitest';
import type { Span } from './span.ts';
import { endingOf } from './span-words.ts';

const ended = (span: object): Span => ({ status: 'ok', endedAt: 1n, ...span }) as Span;

test.each([
  [{ kind: 'agent', outcome: 'completed' }, ''],
  [{ kind: 'agent', outcome: 'max_turns' }, 'max_turns'],
  [{ kind: 'agent', outcome: 'aborted', endedAt: undefined }, ''],
  [
    { kind: 'agent', outcome: 'api_error', status: 'error', error: { type: '529', message: 'Overloaded' } },
    '529: Overloaded',
  ],
  [{ kind: 'llm', stopReason: 'end_turn' }, ''],
  [{ kind: 'llm', stopReason: 'max_tokens' }, 'max_tokens'],
  [{ kind: 'llm', stopReason: 'refusal' }, 'refusal'],
  [{ kind: 'llm', status: 'cancelled' }, 'cancelled'],
  [{ kind: 'tool', status: 'error' }, 'error'],
  [{ kind: 'tool', status: 'error', denied: { decidedBy: 'rule' } }, 'denied by rule'],
  [{ kind: 'permission', decision: 'allow', decidedBy: 'user' }, ''],
  [{ kind: 'permission', decision: 'deny', decidedBy: 'user' }, 'denied by user'],
  [{ kind: 'hook', blocked: false }, ''],
  [{ kind: 'hook', blocked: true }, 'blocked'],
  [{ kind: 'custom' }, ''],
])('%j ended with "%s"', (span, ending) => {
  expect(endingOf(ended(span))).toBe(ending);
});
