import { describe, expect, test } from 'vitest';
import { listRecordings, openRecording } from '../recordings/recording.ts';
import {
  formatTree,
  idsOfSource,
  parseTree,
  treeOfSource,
  withoutFigures,
  withoutUnknown,
} from './declared-differences.ts';
import { type Difference, readDifferences, readExpectation, readTree } from './expectation.ts';
import { replay } from './replay.ts';
import { replayTranscripts } from './replay-transcript.ts';
import type { SourceSet } from './script.ts';
import { treeText } from './tree-text.ts';

function treeOf(name: string, sources: SourceSet | 'transcript'): string {
  if (sources === 'transcript') return treeText(replayTranscripts(openRecording(name)).flatMap(({ spans }) => spans));
  return treeText(replay(openRecording(name), sources).flatMap(({ spans }) => spans));
}

/** Entries that do not bind hold only where the source does not show the node. */
function binding(differences: readonly Difference[], tree: string): readonly Difference[] {
  return differences.filter(({ binding: binds, node }) => binds !== false || !tree.includes(node));
}

describe('the reviewed tree', () => {
  const differences = readDifferences();

  test.each(listRecordings())('%s: the whole recording gives it line for line', (name) => {
    const hasStream = typeof readExpectation(name).sources['sdk+cli'] !== 'string';
    expect(treeOf(name, hasStream ? 'sdk+cli' : 'cli')).toEqual(readTree(name));
  });

  const alone = listRecordings().flatMap((name) =>
    (['sdk', 'cli', 'transcript'] as const).map((source) => ({ name, source })),
  );
  test.each(alone)('$name: $source alone gives it up to the declared differences', ({ name, source }) => {
    if (source === 'transcript' && readExpectation(name).sources.transcript === 'not recorded') return;
    const own = treeOf(name, source);
    const declared = binding(differences[name]?.[source] ?? [], own);
    const golden = withoutFigures(parseTree(readTree(name)), idsOfSource(readExpectation(name), source));
    expect(formatTree(withoutUnknown(withoutFigures(parseTree(own)), declared))).toEqual(
      formatTree(treeOfSource(golden, declared)),
    );
  });

  test('every declared difference names a node of its tree', () => {
    const strays = Object.entries(differences).flatMap(([name, bySource]) =>
      Object.values(bySource)
        .flat()
        .filter((difference) => {
          const golden = parseTree(readTree(name));
          return formatTree(treeOfSource(golden, [difference])) === formatTree(golden);
        })
        .map((difference) => `${name}: ${difference.node}`),
    );
    expect(strays).toEqual([]);
  });
});
