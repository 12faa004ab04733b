import { failureOf, nameOf, oneLine, preview, wordsOf } from '@spanprism/core/dialect';
import type { CapturedSpan } from '@spanprism/core';
import { CUT_SHORT } from './level.ts';

/** A line of the live view holds about as much. UTF-16 units. */
const MAX_WORDS = 100;

/** `logfire.msg`: one line that says what a span is, what it was about where that was captured, and how it ended if not well. */
export function titleOf(span: CapturedSpan): string {
  const title = [subjectOf(span), shortened(aboutOf(span))].filter((part) => part !== '').join(': ');
  const ending = span.endedAt === undefined ? '' : endingOf(span);
  return ending === '' ? title : `${title} – ${ending}`;
}

function subjectOf(span: CapturedSpan): string {
  switch (span.kind) {
    case 'agent':
      return `${span.role === 'main' ? 'Agent' : 'Subagent'} ${nameOf(span)}`;
    case 'llm':
      return `Chat with ${oneLine(span.responseModel ?? span.requestModel)}`;
    case 'tool':
      return `Tool ${nameOf(span)}`;
    case 'permission':
      return `Permission for ${oneLine(span.toolName)}`;
    case 'hook':
      return `Hook ${oneLine(span.hookName)}`;
    case 'custom':
      return nameOf(span);
  }
}

function aboutOf(span: CapturedSpan): string {
  if (span.kind === 'agent') return wordsOf(span.input);
  if (span.kind === 'tool') return preview(span.input);
  return span.kind === 'llm' && span.purpose !== 'turn' ? span.purpose : '';
}

function endingOf(span: CapturedSpan): string {
  if (span.kind === 'permission') return `${span.decision === 'allow' ? 'allowed' : 'denied'} by ${span.decidedBy}`;
  if (span.kind === 'hook' && span.blocked) return 'blocked';
  if (span.status === 'error') return shortened(failureOf(span)) || 'error';
  if (span.kind === 'agent' && span.outcome !== 'completed') return span.outcome;
  if (span.status === 'cancelled') return 'cancelled';
  return span.kind === 'llm' && CUT_SHORT.has(span.stopReason) ? (span.stopReason ?? '') : '';
}

function shortened(words: string): string {
  if (words.length <= MAX_WORDS) return words;
  // Not between the halves of a character.
  return `${words.slice(0, MAX_WORDS).replace(/[\ud800-\udbff]$/, '')}…`;
}
