import type { Message } from '../model/message.ts';
import type { LlmSpan, Span, SpanError } from '../model/span.ts';
import { bytes, dollars, tokens } from './figures.ts';
import { oneLine, type Segment, type Style } from './terminal.ts';

/** Facts in a row; those that are empty are left out. */
export function joined(...facts: readonly (string | undefined)[]): string {
  return facts.filter((fact) => fact !== undefined && fact !== '').join(' · ');
}

const MARKS: Readonly<Record<Span['status'], Segment>> = {
  ok: ['good', '✓ '],
  error: ['bad', '✗ '],
  cancelled: ['warning', '○ '],
};

/** How a span ended, as a sign. */
export function markOf({ status }: Span): Segment {
  return MARKS[status];
}

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

export const NAME_STYLES: Readonly<Record<Span['kind'], Style>> = {
  agent: 'bold',
  llm: 'accent',
  tool: 'plain',
  permission: 'warning',
  hook: 'dim',
  custom: 'bold',
};

/** Tokens, cost and attempts of a call. */
export function callFigures(span: LlmSpan): string {
  return joined(
    tokens(span.usage),
    span.costUsd === undefined ? '' : dollars(span.costUsd),
    span.attempts > 1 ? `${span.attempts} attempts` : '',
  );
}

/** Why a span failed: its code, and its words where they were captured. */
export function failureOf(span: Span): string {
  if (span.kind === 'tool' && span.denied !== undefined) return `denied by ${span.denied.decidedBy}`;
  return span.error === undefined ? '' : errorText(span.error);
}

function errorText({ type, message }: SpanError): string {
  return oneLine(message === type || message === '' ? type : `${type}: ${message}`);
}

/** The first words of messages; without captured ones, how many bytes they had. */
export function wordsOf(messages: readonly Message[] | undefined, size: number | undefined): string {
  for (const { content } of messages ?? []) {
    for (const block of content) if (block.type === 'text') return oneLine(block.text);
  }
  return size === undefined || size === 0 ? '' : `(${bytes(size)})`;
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
