import type { Message } from './message.ts';
import { oneLine } from './one-line.ts';
import type { Span, SpanError } from './span.ts';

/** What a span is called, as one harmless line. */
export function nameOf(span: Span): string {
  switch (span.kind) {
    case 'agent':
      return oneLine(span.agentName || 'main');
    case 'llm':
      return oneLine(joinWords(span.purpose === 'turn' ? '' : span.purpose, span.responseModel ?? span.requestModel));
    case 'tool':
      return oneLine(span.toolName);
    case 'permission':
      return oneLine(`permission ${span.toolName}`);
    case 'hook':
      return oneLine(`hook ${span.hookName}`);
    case 'custom':
      return oneLine(span.name);
  }
}

function joinWords(...words: readonly string[]): string {
  return words.filter((word) => word !== '').join(' ');
}

/** Why a span failed: its code, and its words where they were captured. */
export function failureOf(span: Span): string {
  if (span.kind === 'tool' && span.denied !== undefined) return `denied by ${span.denied.decidedBy}`;
  return span.error === undefined ? '' : errorText(span.error);
}

/** Stop reasons with which an answer is not what was asked for. */
const CUT_SHORT: ReadonlySet<string | undefined> = new Set(['max_tokens', 'refusal']);

/** How a span ended, if not well; nothing while it goes on. */
export function endingOf(span: Span): string {
  const failure = failureOf(span);
  if (failure !== '' || span.endedAt === undefined) return failure;
  if (span.kind === 'agent' && span.outcome !== 'completed') return span.outcome;
  if (span.status !== 'ok') return span.status;
  if (span.kind === 'llm' && CUT_SHORT.has(span.stopReason)) return span.stopReason ?? '';
  if (span.kind === 'permission' && span.decision === 'deny') return `denied by ${span.decidedBy}`;
  return span.kind === 'hook' && span.blocked ? 'blocked' : '';
}

function errorText({ type, message }: SpanError): string {
  return oneLine(message === type || message === '' ? type : `${type}: ${message}`);
}

/** The first words of messages, as far as they were captured. */
export function wordsOf(messages: readonly Message[] | undefined): string {
  for (const { content } of messages ?? []) {
    for (const block of content) if (block.type === 'text') return oneLine(block.text);
  }
  return '';
}

/** The arguments that tell most of a tool call. */
const TELLING = ['command', 'file_path', 'pattern', 'url', 'query', 'description', 'prompt'] as const;

/** A tool's captured input in a few words. */
export function preview(input: unknown): string {
  if (typeof input !== 'object' || input === null) return '';
  const name = TELLING.find((candidate) => candidate in input) ?? Object.keys(input)[0] ?? '';
  const value: unknown = Reflect.get(input, name);
  return typeof value === 'string' || typeof value === 'number' ? oneLine(String(value)) : '';
}
