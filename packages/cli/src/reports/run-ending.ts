import type { Style } from '@spanprism/core/terminal';
import type { StoredRun } from '@spanprism/store';

/** How a run ended: as a sign, and in a word. */
export interface RunEnding {
  readonly style: Style;
  readonly sign: '✓' | '✗' | '○' | '·';
  readonly word: string;
}

export function endingOf({ failed, outcome }: StoredRun): RunEnding {
  if (failed) return { style: 'bad', sign: '✗', word: outcome ?? 'failed' };
  if (outcome === undefined) return { style: 'dim', sign: '·', word: 'open' };
  return outcome === 'completed'
    ? { style: 'good', sign: '✓', word: outcome }
    : { style: 'warning', sign: '○', word: outcome };
}
