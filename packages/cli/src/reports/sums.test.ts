import { join } from 'node:path';
import type { Span } from '@spanprism/core';
import { COST_DIMENSIONS } from '@spanprism/store';
import { listRecordings, openRecording } from '@spanprism/testkit';
import { beforeAll, describe, expect, test } from 'vitest';
import { type ExpectedCall, readExpectation } from '../../../testkit/src/replay/expectation.ts';
import { call, tool, turn } from './__fixtures__/drafts.ts';
import { fillStore, writeSpans } from './__fixtures__/recorded-store.ts';
import { runReport } from './__fixtures__/run-report.ts';
import { FILL_LIMIT_MS, storeFolder } from './__fixtures__/store-folder.ts';
import type { CostJson } from './cost/cost-document.ts';

// Its request ids are those of another recording: to a store the same calls, seen twice.
const SEEN_TWICE = 'permission-deny-rule';
const recordings = listRecordings().filter((name) => name !== SEEN_TWICE);
const folder = await storeFolder();
const recorded = join(folder, 'recorded.db');
const generated = join(folder, 'generated.db');

async function cost(store: string, ...args: string[]): Promise<CostJson> {
  const { stdout } = await runReport(['cost', '--json', ...args], { store });
  return JSON.parse(stdout) as CostJson;
}

beforeAll(async () => {
  await fillStore(
    recorded,
    recordings.map((recording) => ({
      recording,
      // An interactive session has no messages.
      sources: openRecording(recording).messages.length === 0 ? 'cli' : 'sdk+cli',
      attributes: { project: recording },
    })),
  );
  await writeSpans(generated, { spans: awkwardSpans() });
}, FILL_LIMIT_MS);

const nanos = (usd: number | null | undefined): number => Math.round((usd ?? 0) * 1e9);

/** What the reviewed table says of a recording: its calls, and what the turns' totals have beyond them. */
function expectedOf(recording: string): {
  costNanoUsd: number;
  inputTokens: number;
  outputTokens: number;
  calls: number;
} {
  const { sources } = readExpectation(recording);
  const source = typeof sources['sdk+cli'] === 'string' ? sources.cli : sources['sdk+cli'];
  if (typeof source === 'string') throw new Error(source);
  const rests = source.unattributed.flatMap((rest) => (rest === null || rest === 'unknown' ? [] : [rest]));
  const sum = (ofCall: (row: ExpectedCall) => number, field: string, scale: (value: number) => number): number =>
    source.llm.reduce((total, row) => total + ofCall(row), 0) +
    rests.reduce((total, rest) => total + scale(rest[field] ?? 0), 0);
  return {
    calls: source.llm.length,
    costNanoUsd: sum(({ costUsd }) => nanos(costUsd), 'costUsd', nanos),
    inputTokens: sum(({ usage }) => usage?.['inputTokens'] ?? 0, 'inputTokens', Number),
    outputTokens: sum(({ usage }) => usage?.['outputTokens'] ?? 0, 'outputTokens', Number),
  };
}

describe('over all recordings', () => {
  test('each costs what its reviewed table says, call by call and total by total', async () => {
    const { rows } = await cost(recorded, '--by', 'project');
    const byProject = new Map(rows.map((row) => [row.name, row]));
    for (const recording of recordings) {
      const row = byProject.get(recording);
      const figures = row && {
        calls: row.calls,
        costNanoUsd: row.costNanoUsd,
        inputTokens: row.usage?.inputTokens ?? 0,
        outputTokens: row.usage?.outputTokens ?? 0,
      };
      const expected = expectedOf(recording);
      if (expected.calls === 0 && figures === undefined) continue;
      expect({ recording, ...figures }).toEqual({ recording, ...expected });
    }
  });

  test.each([
    // The first call of a turn follows no tool; the second is the first to carry the tool's result.
    ['bash-call', { Bash: [1] }],
    ['failing-tools', { Bash: [1], Read: [2] }],
    ['mcp-tools', { mcp__calc__add: [1], mcp__calc__fail: [2] }],
  ])('in %s a call belongs to the tool whose result it read', async (recording, expected) => {
    const { rows } = await cost(recorded, '--by', 'tool', '--project', recording);
    const source = readExpectation(recording).sources['sdk+cli'];
    if (typeof source === 'string') throw new Error(source);
    const costOf = (index: number): number => nanos(source.llm[index]?.costUsd);
    const named = Object.entries(expected).map(([name, calls]) => [
      name,
      calls.reduce((sum, at) => sum + costOf(at), 0),
    ]);
    const all = source.llm.reduce((sum, { costUsd }) => sum + nanos(costUsd), 0);
    const rest = all - named.reduce((sum, [, value]) => sum + Number(value), 0);
    expect(Object.fromEntries(rows.map(({ name, costNanoUsd }) => [name, costNanoUsd]))).toEqual({
      ...Object.fromEntries(named),
      unattributed: rest,
    });
  });
});

describe.each([
  ['recordings', recorded],
  ['awkward splits', generated],
])('in a store of %s', (_, store) => {
  test.each(COST_DIMENSIONS)(
    'cost by %s adds up to the total: whole, filtered, folded, as decimals and as shown',
    async (by) => {
      const { total } = await cost(store, '--by', 'model');
      expect(total.costNanoUsd).toBeGreaterThan(0);
      for (const args of [[], ['--limit', '3'], ['--since', '2026-11-21'], ['--model', 'claude-sonnet-4-5']]) {
        const report = await cost(store, '--by', by, ...args);
        const sum = report.rows.reduce((nano, { costNanoUsd }) => nano + costNanoUsd, 0);
        expect(sum).toBe(report.total.costNanoUsd);
        expect(report.rows.at(-1)).toMatchObject({ kind: 'unattributed', name: 'unattributed' });
        expect(report.rows.filter(({ kind }) => kind === 'unattributed')).toHaveLength(1);
        // All of them ran on that day, and not all with that model.
        expect(report.total.costNanoUsd === total.costNanoUsd).toBe(args[0] !== '--model');
        const { stdout } = await runReport(['cost', '--json', '--by', by, ...args], { store });
        expect(addedAsDecimals(stdout)).toBe(BigInt(report.total.costNanoUsd));
        expect(shownSum(await runReport(['cost', '--by', by, ...args], { store }))).toBe(0);
      }
    },
  );
});

/** The `costUsd` of all rows, added digit by digit as they stand in the text. */
function addedAsDecimals(json: string): bigint {
  const [rows = ''] = json.split('"total": {');
  return [...rows.matchAll(/"costUsd": (-?)(\d+)(?:\.(\d+))?(?:e-(\d+))?/g)].reduce(
    (sum, [, sign, whole = '', places = '', exponent = '0']) => {
      const scale = 9 - places.length - Number(exponent);
      expect(scale).toBeGreaterThanOrEqual(0);
      const value = BigInt(whole + places) * 10n ** BigInt(scale);
      return sum + (sign === '-' ? -value : value);
    },
    0n,
  );
}

/** What the printed rows lack of the printed total, in hundredths of a cent. */
function shownSum({ stdout }: { readonly stdout: string }): number {
  const amounts = stdout
    .split('\n')
    .flatMap((line) => /(-?)\$([\d,]+\.\d+)/.exec(line) ?? [])
    .filter((part) => part.includes('$'));
  const values = amounts.map((text) => Math.round(Number(text.replace(/[$,]/g, '')) * 1e4));
  return values.slice(0, -1).reduce((sum, value) => sum + value, 0) - (values.at(-1) ?? 0);
}

/** Costs that do not divide by the number of tools that share them, remainders of turns above and below zero, figures that nobody knows. */
function awkwardSpans(): readonly Span[] {
  let seed = 20_261_121;
  const next = (limit: number): number => {
    seed = (seed * 48_271) % 2_147_483_647;
    return seed % limit;
  };
  const pick = <T>(...of: readonly T[]): T => of[next(of.length)] as T;
  return Array.from({ length: 60 }, (_, index): Span[] => {
    const session = `awkward-${index}`;
    const attributes = {
      ...(next(3) === 0 ? {} : { project: pick('web', 'api') }),
      ...(next(2) === 0 ? {} : { 'user.id': pick('ada', 'grace') }),
      ...(next(2) === 0 ? {} : { 'vcs.ref.head.name': pick('main', 'fix/sums') }),
    };
    let at = 0;
    const during = (): readonly [number, number] => [(at += 10), at + 5];
    const spans: Span[] = [];
    for (let round = 0; round < 1 + next(6); round += 1) {
      const priced = next(8) === 0 ? {} : { costUsd: (1 + next(9_999_999)) / 1e9 };
      const model = pick('claude-sonnet-4-5', 'claude-haiku-4-5');
      spans.push(call({ id: `c${round}`, parent: 't', session, at: during() }, { ...priced, responseModel: model }));
      for (let one = 0; one < next(8); one += 1) {
        const mcpServer = pick(undefined, 'calc');
        spans.push(
          tool(
            { id: `u${round}${one}`, parent: 't', session, at: during() },
            {
              toolName: mcpServer === undefined ? pick('Bash', 'Read') : 'mcp__calc__add',
              ...(mcpServer === undefined ? {} : { mcpServer }),
            },
          ),
        );
      }
    }
    const rest = pick(undefined, 0.000_000_001, -0.000_000_007, 0.123_456_789);
    const unattributed = rest === undefined ? {} : { unattributed: { usage: {}, costUsd: rest } };
    return [...spans, turn({ id: 't', session, at: [0, at + 10] }, unattributed)].map((span) => ({
      ...span,
      attributes,
    }));
  }).flat();
}
