import { describe, expect, test } from 'vitest';
import { listRecordings, openRecording } from '../recordings/recording.ts';
import { formatTree, parseTree, withoutFigures } from './declared-differences.ts';
import { callsOf, type ExpectedCall, readExpectation, readTree, readWireDifferences } from './expectation.ts';
import { replayWire } from './replay-wire.ts';
import { treeText } from './tree-text.ts';

const cases = listRecordings().filter((name) => typeof readExpectation(name).sources.wire !== 'string');

describe('the wire alone', () => {
  test.each(cases)('%s: gives exactly the calls of its table', (name) => {
    const { wire } = readExpectation(name).sources;
    const rows = typeof wire === 'string' ? [] : wire.llm;
    const spans = replayWire(openRecording(name)).flatMap((played) => played.spans);
    expect(inOrder(callsOf(spans).map(withFiguresOf(rows)))).toEqual(inOrder(rows));
    expect(spans.every(({ seenBy }) => seenBy.every((source) => source === 'wire'))).toBe(true);
    expect(spans.flatMap(({ issues }) => issues.map(({ code }) => code)).filter((code) => code === 'conflict')).toEqual(
      [],
    );
  });

  test.each(cases)('%s: gives the reviewed tree but for what it cannot know', (name) => {
    const golden = linesOf(readTree(name));
    const own = linesOf(treeText(replayWire(openRecording(name)).flatMap((played) => played.spans)));
    const { lacks, has } = readWireDifferences()[name] ?? { lacks: [], has: [] };
    expect(without(golden, own).map(trimmed)).toEqual(lacks);
    expect(without(own, golden).map(trimmed)).toEqual(has);
    // What both have is in the same order.
    const common = golden.filter((line) => own.includes(line));
    expect(own.filter((line) => golden.includes(line)).slice(0, common.length)).toEqual(
      common.slice(0, own.filter((line) => golden.includes(line)).length),
    );
  });

  test.each(cases)('%s: leaves nothing over and holds nothing', (name) => {
    for (const { counters, openAgents, held } of replayWire(openRecording(name))) {
      expect({ ...counters, openAgents, held }).toEqual({ late: 0, duplicate: 0, unplaced: 0, openAgents: 0, held: 0 });
    }
  });
});

function linesOf(tree: string): string[] {
  return formatTree(withoutFigures(parseTree(tree)))
    .split('\n')
    .filter((line) => line !== '');
}

/** Each line as often as the others do not have it. */
function without(lines: readonly string[], others: readonly string[]): string[] {
  const left = [...others];
  return lines.filter((line) => {
    const at = left.indexOf(line);
    if (at !== -1) left.splice(at, 1);
    return at === -1;
  });
}

const trimmed = (line: string): string => line.trim();

const nameOf = ({ requestId, messageId, model }: ExpectedCall): string => `${requestId ?? messageId ?? '-'} ${model}`;

function inOrder(calls: readonly ExpectedCall[]): ExpectedCall[] {
  return calls.toSorted((a, b) => (nameOf(a) < nameOf(b) ? -1 : 1));
}

/** Fields that a row does not name are left open. */
function withFiguresOf(rows: readonly ExpectedCall[]): (call: ExpectedCall) => ExpectedCall {
  return (call) => {
    const row = rows.find((candidate) => nameOf(candidate) === nameOf(call));
    if (call.usage === null || row === undefined || row.usage === null) return call;
    const { usage } = row;
    return { ...call, usage: Object.fromEntries(Object.entries(call.usage).filter(([field]) => field in usage)) };
  };
}
