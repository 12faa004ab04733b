import type { CapturedSpan } from '@spanprism/core';
import { endingOf } from '@spanprism/core/dialect';

/** Logfire's levels, which are OpenTelemetry's severity numbers. */
export const LEVELS = { debug: 5, info: 9, notice: 10, warn: 13, error: 17 } as const;
export type Level = keyof typeof LEVELS;

/** How much a span wants to be looked at. A refusal of permission is a decision, and what was cancelled did not fail. */
export function levelOf(span: CapturedSpan): Level {
  if (span.kind === 'tool' && span.denied !== undefined) return 'warn';
  if (span.status === 'error') return 'error';
  if (span.status === 'cancelled') return 'warn';
  switch (span.kind) {
    case 'agent':
      return span.endedAt === undefined || span.outcome === 'completed' ? 'info' : 'warn';
    case 'llm':
      // An answer that was cut short is not what was asked for.
      if (endingOf(span) !== '') return 'warn';
      return span.attempts > 1 ? 'notice' : 'info';
    case 'permission':
      return span.endedAt !== undefined && span.decision === 'deny' ? 'notice' : 'info';
    case 'hook':
      return span.blocked ? 'notice' : 'debug';
    case 'tool':
    case 'custom':
      return 'info';
  }
}
