import type { LlmSpan, Span } from '../model/span.ts';
import { type Detail, dollars, tokens } from './figures.ts';
import type { Segment, Style } from './terminal.ts';

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

export const NAME_STYLES: Readonly<Record<Span['kind'], Style>> = {
  agent: 'bold',
  llm: 'accent',
  tool: 'plain',
  permission: 'warning',
  hook: 'dim',
  custom: 'bold',
};

/** Tokens, cost and attempts of a call. */
export function callFigures(span: LlmSpan, detail: Detail = 'all'): string {
  return joined(
    tokens(span.usage, detail),
    span.costUsd === undefined ? '' : dollars(span.costUsd),
    span.attempts > 1 ? `${span.attempts} attempts` : '',
  );
}
