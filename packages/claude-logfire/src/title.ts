import { endingOf, nameOf, oneLine, preview, wordsOf } from '@spanprism/core/dialect';
import type { CapturedSpan } from '@spanprism/core';

/** A line of the live view holds about as much. UTF-16 units. */
const MAX_WORDS = 100;

/** `logfire.msg`: one line that says what a span is, what it was about where that was captured, and how it ended if not well. */
export function titleOf(span: CapturedSpan): string {
  const title = [subjectOf(span), shortened(aboutOf(span))].filter((part) => part !== '').join(': ');
  const isAllowed = span.kind === 'permission' && span.endedAt !== undefined && span.decision === 'allow';
  const ending = isAllowed ? `allowed by ${span.decidedBy}` : shortened(endingOf(span));
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

function shortened(words: string): string {
  if (words.length <= MAX_WORDS) return words;
  // Not between the halves of a character.
  return `${words.slice(0, MAX_WORDS).replace(/[\ud800-\udbff]$/, '')}…`;
}
