import {
  count,
  duration,
  formatLine,
  joined,
  msBetween,
  type Screen,
  type Segment,
  tokens,
  treeLines,
} from '@spanprism/core/terminal';
import type { RunDetail, StoredRun } from '@spanprism/store';
import { localTime } from '../local-time.ts';
import { costOf, dollars } from '../money.ts';
import { endingOf } from '../run-ending.ts';
import { contentOf } from './content-of.ts';
import { reasonings } from './reasoning.ts';
import { spansOf } from './run-spans.ts';

export interface PageOptions {
  readonly screen: Screen;
  /** All of every content, instead of a few lines of what is asked and what failed. */
  readonly isFull: boolean;
}

/** A run for people, line by line: what it was, and its tree with what was said where it matters. */
export function* runPage(detail: RunDetail, { screen, isFull }: PageOptions): Generator<string> {
  const spans = spansOf(detail);
  const show = contentOf({ reasons: reasonings(spans), isFull });
  const { columns } = screen;
  for (const segments of factLines(detail.run)) yield `${formatLine(segments, screen)}\n`;
  yield '\n';
  yield* treeLines(spans, {
    color: screen.hasColor,
    ...(columns === undefined ? {} : { columns }),
    origin: detail.run.startedAt,
    failures: 'type',
    below: show,
  });
}

function factLines(run: StoredRun): readonly (readonly Segment[])[] {
  const { agentName, startedAt, endedAt, usage, unattributedNanoUsd, unpricedCalls } = run;
  const { style, sign, word } = endingOf(run);
  const rest = unattributedNanoUsd === 0 ? '' : `${dollars(unattributedNanoUsd)} of it unattributed`;
  const unknown = unpricedCalls === 0 ? '' : `${plural(unpricedCalls, 'call')} without a known cost`;
  return [
    [
      [style, `${sign} `],
      ['bold', run.id],
      ['plain', `  ${joined(word, agentName)}`],
    ] satisfies Segment[],
    fact('started', joined(localTime(startedAt, { seconds: true }), `took ${duration(msBetween(startedAt, endedAt))}`)),
    fact('where', joined(run.project, run.branch)),
    fact('user', joined(run.user)),
    fact('tags', run.tags.join(', ')),
    fact('models', run.models.join(', ')),
    fact(
      'did',
      joined(
        plural(run.turns, 'turn'),
        plural(run.llmCalls, 'call'),
        plural(run.toolCalls, 'tool'),
        run.errors === 0 ? '' : plural(run.errors, 'error'),
      ),
    ),
    fact('used', tokens(usage)),
    fact('cost', joined(costOf(run), rest, unknown)),
  ].filter((line) => line.length > 0);
}

/** A line, or none for what is not known. */
function fact(name: string, text: string): readonly Segment[] {
  return text === ''
    ? []
    : [
        ['dim', `  ${name.padEnd(9)}`],
        ['plain', text],
      ];
}

function plural(value: number, noun: string): string {
  return `${count(value)} ${noun}${value === 1 ? '' : 's'}`;
}
