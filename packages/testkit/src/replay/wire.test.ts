import { describe, expect, test } from 'vitest';
import { listRecordings, openRecording } from '../recordings/recording.ts';
import { formatTree, parseTree, withoutFigures } from './declared-differences.ts';
import { callsOf, type ExpectedCall, readExpectation, readTree, readWireDifferences } from './expectation.ts';
import { replayWire, replayWithWire } from './replay-wire.ts';
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

describe('the wire beside other sources', () => {
  const both = cases.filter((name) => typeof readExpectation(name).sources['sdk+cli'] !== 'string');
  test.each(both)('%s: every call has what any of them knows of it, once', (name) => {
    const { wire, 'sdk+cli': others } = readExpectation(name).sources;
    if (typeof wire === 'string' || typeof others === 'string') return;
    const spans = replayWithWire(openRecording(name), 'sdk+cli').flatMap((played) => played.spans);
    const rows = merged(others.llm, wire.llm);
    // What the wire had to say of an answer that was given up may come when its span is over.
    const settled = (call: ExpectedCall): ExpectedCall =>
      call.status === 'cancelled' && call.messageId !== null ? { ...call, requestId: null } : call;
    expect(inOrder(callsOf(spans).map(withFiguresOf(rows)).map(settled))).toEqual(inOrder(rows.map(settled)));
    const unseen = spans.filter((span) => span.kind === 'llm' && !span.seenBy.includes('wire'));
    expect(unseen.every(({ status }) => status === 'cancelled')).toBe(true);
    expect(spans.flatMap(({ issues }) => issues).filter(({ field }) => field !== undefined)).toEqual([]);
  });
});

/** Ids and figures of the wire, cost and place of the others; calls that only the wire saw; the higher count of attempts. */
function merged(others: readonly ExpectedCall[], wire: readonly ExpectedCall[]): ExpectedCall[] {
  const isSame = (a: ExpectedCall, b: ExpectedCall): boolean =>
    (a.requestId !== null && a.requestId === b.requestId) ||
    (a.messageId !== null && a.messageId === b.messageId) ||
    (a.requestId === null && a.messageId === null && a.model === b.model && a.usage === null && b.usage === null);
  const joined = others.map((row): ExpectedCall => {
    const own = wire.find((candidate) => isSame(row, candidate));
    const { wireAttempts = 1, ...known } = row as ExpectedCall & { readonly wireAttempts?: number };
    if (own === undefined) return known;
    return {
      ...known,
      requestId: own.requestId ?? row.requestId,
      messageId: own.messageId ?? row.messageId,
      usage: own.usage ?? row.usage,
      attempts: Math.max(row.attempts ?? 1, own.attempts ?? 1, wireAttempts),
    };
  });
  return [...joined, ...wire.filter((row) => !others.some((known) => isSame(known, row)))];
}

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
