import { describe, expect, test } from 'vitest';
import type { Totals } from '../../../core/src/model/usage.ts';
import {
  listRecordings,
  openRecording,
  ownRecordingsRoot,
  recordingsAbsent,
  recordingsRoot,
} from '../recordings/recording.ts';
import {
  callsOf,
  type ExpectedCall,
  type Expectation,
  listExpectations,
  readExpectation,
  turnsOf,
} from './expectation.ts';
import { replay } from './replay.ts';
import { replayTranscripts } from './replay-transcript.ts';
import type { SourceSet } from './script.ts';

const SOURCE_SETS = ['sdk', 'sdk+partials', 'cli', 'sdk+cli'] as const satisfies readonly SourceSet[];
const COST_PLACES = 1e9;

const absent = recordingsAbsent();
const cases = listRecordings().flatMap((name) => SOURCE_SETS.map((sources) => ({ name, sources })));

test('every recording of our own has a table, and every table a recording', () => {
  expect(listExpectations('own')).toEqual(listRecordings(ownRecordingsRoot()));
});

test.skipIf(absent !== undefined)(absent ?? 'so has every recording of the larger collection', () => {
  expect(listExpectations('collection')).toEqual(listRecordings(recordingsRoot()));
});

describe('the reviewed table', () => {
  const columns = [...cases, ...listRecordings().map((name) => ({ name, sources: 'transcript' as const }))];
  test.each(columns)('$name: $sources gives exactly its calls, totals and remainders', ({ name, sources }) => {
    const table = readExpectation(name);
    const expected = table.sources[sources];
    if (typeof expected === 'string') return;
    const played =
      sources === 'transcript' ? replayTranscripts(openRecording(name)) : replay(openRecording(name), sources);
    const spans = played.flatMap((one) => one.spans);
    expect(inOrder(callsOf(spans)).map(comparable)).toEqual(expectedCalls(spans, expected.llm));
    const turns =
      sources === 'transcript' ? played.map((one) => turnsOf(one.spans).at(-1)) : intervalTurns(table, spans, sources);
    expect(turns.map((turn) => figuresOf(turn?.totals))).toEqual(expected.totals.map((totals) => figures(totals, 0)));
    expect(turns.map((turn) => remainderOf(turn))).toEqual(
      expected.unattributed.map((rest) => (rest === 'unknown' || rest === null ? null : figures(rest, undefined))),
    );
    // Nothing is claimed of turns that close no interval.
    const others = turnsOf(spans).filter((turn) => !turns.includes(turn));
    expect(others.filter((turn) => turn.totals !== undefined || turn.unattributed !== undefined)).toEqual([]);
    if (expected.issues === undefined) return;
    const codes = turns.map((turn) =>
      turn?.issues.filter(({ code }) => code === 'unattributed' || code === 'conflict').map(({ code }) => code),
    );
    expect(codes).toEqual(expected.issues.map((code) => (code === null ? [] : [code])));
  });

  test.each(cases.filter(({ sources }) => sources !== 'cli'))(
    '$name: $sources gives its turns and traces',
    ({ name, sources }) => {
      const table = readExpectation(name);
      if (typeof table.sources[sources] === 'string') return;
      const played = replay(openRecording(name), sources);
      const turns = turnsOf(played.flatMap(({ spans }) => spans));
      expect(played.flatMap(({ spans }, query) => turnsOf(spans).map(({ outcome }) => ({ query, outcome })))).toEqual(
        table.turns.map(({ query, outcome }) => ({ query, outcome })),
      );
      expect(turns.map((turn) => turn.issues.some(({ code }) => code === 'no_result'))).toEqual(
        table.turns.map((turn) => !turn.resultSeen),
      );
      // That a prompt was a command, only the telemetry tells for certain.
      const triggers = turns.map((turn) => turn.trigger);
      expect(triggers).toEqual(sources === 'sdk+cli' ? table.turns.map((turn) => turn.startedBy) : triggers);
      expect(traceGroups(turns)).toEqual(table.traceGroups);
    },
  );

  test.each(cases.filter(({ sources }) => sources === 'cli'))('$name: cli gives its traces', ({ name, sources }) => {
    const table = readExpectation(name);
    if (typeof table.sources[sources] === 'string') return;
    expect(traceGroups(turnsOf(replay(openRecording(name), sources).flatMap(({ spans }) => spans)))).toEqual(
      table.traceGroups,
    );
  });

  test.each(listRecordings().filter(hasTranscripts))(
    '%s: the transcript tells what started each turn, and gives each a trace',
    (name) => {
      const { turns: expected } = readExpectation(name);
      const played = replayTranscripts(openRecording(name));
      const turns = turnsOf(played.flatMap(({ spans }) => spans));
      expect(turns.map(({ trigger }) => trigger)).toEqual(
        expected.slice(0, turns.length).map(({ startedBy }) => startedBy),
      );
      expect(new Set(turns.map(({ traceId }) => traceId)).size).toBe(turns.length);
      for (const { counters } of played) expect(counters).toEqual({ late: 0, duplicate: 0, unplaced: 0 });
    },
  );
});

function hasTranscripts(name: string): boolean {
  return readExpectation(name).sources.transcript !== 'not recorded';
}

function traceGroups(turns: ReturnType<typeof turnsOf>): number[][] {
  const groups = new Map<string, number[]>();
  for (const [index, { traceId }] of turns.entries()) groups.set(traceId, [...(groups.get(traceId) ?? []), index]);
  return [...groups.values()];
}

/** With a stream every result closes an interval, and so does a query that ends without; by telemetry alone a process is one. */
function intervalTurns(table: Expectation, spans: Parameters<typeof turnsOf>[0], sources: SourceSet) {
  const turns = turnsOf(spans);
  if (sources !== 'cli') return turns;
  return Array.from(
    { length: table.queries },
    (_, query) => turns[table.turns.findLastIndex((turn) => turn.query === query)],
  );
}

const nameOf = (call: ExpectedCall): string => `${call.requestId ?? call.messageId ?? '-'} ${call.model}`;

function inOrder(calls: readonly ExpectedCall[]): ExpectedCall[] {
  return calls.toSorted((a, b) => (nameOf(a) < nameOf(b) ? -1 : 1));
}

const comparable = (call: ExpectedCall): ExpectedCall => ({
  ...call,
  costUsd: call.costUsd === null ? null : Math.round(call.costUsd * COST_PLACES) / COST_PLACES,
});

/** Fields that the table leaves open take our own value; everything else must be equal. */
function expectedCalls(spans: Parameters<typeof callsOf>[0], rows: readonly ExpectedCall[]): ExpectedCall[] {
  const ours = new Map(callsOf(spans).map((call) => [nameOf(call), call]));
  return inOrder(rows.map(withoutWireAttempts)).map((row) => {
    const own = ours.get(nameOf(row));
    const open =
      row.usage === null
        ? {}
        : Object.fromEntries(Object.entries(own?.usage ?? {}).filter(([field]) => !(field in (row.usage ?? {}))));
    return comparable({
      ...row,
      usage: row.usage === null ? null : { ...open, ...row.usage },
      attempts: row.attempts ?? own?.attempts ?? null,
    });
  });
}

function withoutWireAttempts(row: ExpectedCall & { readonly wireAttempts?: number }): ExpectedCall {
  const { wireAttempts: _, ...seen } = row;
  return seen;
}

const COMPARED = [
  'inputTokens',
  'cacheReadTokens',
  'cacheWriteTokens',
  'cacheWrite5mTokens',
  'cacheWrite1hTokens',
  'outputTokens',
] as const;

type Comparable = Readonly<Record<string, number | undefined>> | null;

function figuresOf(totals: Totals | undefined): Comparable {
  return totals === undefined ? null : rounded({ ...totals.usage, costUsd: totals.costUsd }, undefined);
}

/** A figure of 0 is as good as none: nothing is left over. */
function remainderOf(turn: ReturnType<typeof turnsOf>[number] | undefined): Comparable {
  const rest = turn?.unattributed;
  return rest === undefined ? null : rounded({ ...rest.usage, costUsd: rest.costUsd }, 0);
}

function figures(from: Readonly<Record<string, number>> | 'unknown', _: 0 | undefined): Comparable {
  return from === 'unknown' ? null : rounded(from, _ === 0 ? undefined : 0);
}

function rounded(from: Readonly<Record<string, number | undefined>>, ignored: number | undefined): Comparable {
  const kept = [...COMPARED, 'costUsd'].flatMap((field) => {
    const value = from[field];
    if (value === undefined) return [];
    const exact = Math.round(value * COST_PLACES) / COST_PLACES;
    return exact === ignored ? [] : [[field, exact] as const];
  });
  return Object.fromEntries(kept);
}
