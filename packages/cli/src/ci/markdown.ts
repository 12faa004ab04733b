import { count, duration, msBetween, oneLine, type Usage } from '@spanprism/core/terminal';
import type { CostReport } from '@spanprism/store';
import { costColumn, groupedCosts, type Priced, pricedRun } from '../reports/money.ts';
import { shortIds } from '../reports/report.ts';
import type { Budget } from './budget.ts';
import type { SummarizedRun, Summary } from './summary.ts';

/** A page takes 1 MiB; and nobody reads more rows. */
const MAX_ROWS = 50;

export interface PageOptions {
  readonly budgets: readonly Budget[];
  /** Whether the words of errors are shown, which may quote what the agent read. */
  readonly hasErrorTexts: boolean;
}

/** The page of a job. */
export function summaryPage(summary: Summary, { budgets, hasErrorTexts }: PageOptions): string {
  const { runs } = summary;
  const title = `## Claude Code: ${plural(runs.length, 'run')}, ${costColumn([], pricedJob(summary)).total}`;
  const parts = [
    title,
    ...budgets.map(({ isOver, line }) => (isOver ? `**Over budget:** ${line}.` : `Within budget: ${line}.`)),
    ...(runs.length === 0 ? ['No run of this job is in the store.'] : [runsTable(summary)]),
    ...(summary.cut === 0
      ? []
      : [`\`cut\`: the process was gone before the turn had ended; what it had done is counted.`]),
    ...(summary.unpricedCalls === 0
      ? []
      : [`${plural(summary.unpricedCalls, 'call')} of unknown cost: not counted in it.`]),
    ...section('Models', costTable('model', summary.models)),
    ...section('Tools', costTable('tool', summary.tools)),
    ...section('What failed', failuresTable(summary.failures, hasErrorTexts)),
  ];
  return `${parts.join('\n\n')}\n`;
}

function pricedJob({
  runs,
  unpricedCalls,
  costNanoUsd,
}: Pick<Summary, 'runs' | 'unpricedCalls' | 'costNanoUsd'>): Priced {
  return { calls: runs.reduce((sum, { run }) => sum + run.llmCalls, 0), unpricedCalls, costNanoUsd };
}

function plural(number: number, word: string): string {
  return `${count(number)} ${word}${number === 1 ? '' : 's'}`;
}

function section(title: string, table: string | undefined): readonly string[] {
  return table === undefined ? [] : [`### ${title}`, table];
}

function runsTable({ runs, usage, failed, cut, ...summary }: Summary): string {
  const idOf = shortIds(runs.map(({ run }) => run.id));
  const shown = runs.slice(-MAX_ROWS);
  const sums = costColumn(
    runs.map(({ run }) => pricedRun(run)),
    pricedJob({ runs, ...summary }),
  );
  const costs = sums.rows.slice(-MAX_ROWS);
  const rows = shown.map(({ run, ...rest }, index) => [
    escaped(idOf(run.id)),
    endingText({ run, ...rest }),
    run.models.map(escaped).join(', '),
    count(run.turns),
    count(run.llmCalls),
    count(run.toolCalls),
    ...usageCells(run.usage),
    costs[index] ?? '',
    duration(msBetween(run.startedAt, run.endedAt)),
  ]);
  const of = (pick: (one: SummarizedRun) => number): string => count(runs.reduce((sum, one) => sum + pick(one), 0));
  const total = [
    `**${plural(runs.length, 'run')}**`,
    [failed > 0 ? `${count(failed)} failed` : '', cut > 0 ? `${count(cut)} cut` : '']
      .filter((text) => text !== '')
      .join(', '),
    '',
    of(({ run }) => run.turns),
    of(({ run }) => run.llmCalls),
    of(({ run }) => run.toolCalls),
    ...usageCells(usage),
    `**${sums.total}**`,
    '',
  ];
  const more = runs.length - shown.length;
  const heads = ['run', 'ended', 'models', 'turns>', 'calls>', 'tools>', 'in>', 'cached>', 'out>', 'cost>', 'took>'];
  return `${table(heads, [...rows, total])}${more > 0 ? `\n\nThe newest ${MAX_ROWS}; ${count(more)} more are in the total.` : ''}`;
}

function endingText({ run, ending, isCut }: SummarizedRun): string {
  if (isCut) return '✂ cut';
  if (run.failed) return `❌ ${escaped(ending)}`;
  return `${ending === 'completed' ? '✅' : '⚠️'} ${escaped(ending)}`;
}

function usageCells({ inputTokens, cacheReadTokens, outputTokens }: Usage): readonly string[] {
  return [inputTokens, cacheReadTokens, outputTokens].map((tokens) => (tokens === undefined ? '' : count(tokens)));
}

function costTable(what: 'model' | 'tool', report: CostReport | undefined): string | undefined {
  const rows = (report?.rows ?? []).filter(({ isUnattributed, costNanoUsd }) => !isUnattributed || costNanoUsd !== 0);
  if (report === undefined || rows.every(({ isUnattributed }) => isUnattributed)) return undefined;
  const sums = groupedCosts(rows, report.total, what === 'tool');
  const cells = rows
    .slice(0, MAX_ROWS)
    .map(({ name, calls, errors, usage, isUnattributed }, index) => [
      isUnattributed ? '*unattributed*' : escaped(name),
      count(calls),
      errors === 0 ? '' : count(errors),
      ...(what === 'model' ? usageCells(usage ?? {}) : []),
      sums.rows[index] ?? '',
    ]);
  const tokens = what === 'model' ? ['in>', 'cached>', 'out>'] : [];
  return table([what, 'calls>', 'failed>', ...tokens, 'cost>'], cells);
}

/** The others are called what they are. */
const KINDS: Readonly<Record<string, string | undefined>> = { llm: 'Messages API', custom: 'step' };

function failuresTable(groups: Summary['failures'], hasErrorTexts: boolean): string | undefined {
  if (groups.length === 0) return undefined;
  const idOf = shortIds(groups.map(({ latest }) => latest.run.id));
  const rows = groups
    .slice(0, MAX_ROWS)
    .map(({ kind, name = '', cause = '', latest, text, ...group }) => [
      `${KINDS[kind] ?? kind} ${escaped(name)}`.trim(),
      [escaped(cause), ...(hasErrorTexts ? [escaped(text)] : [])].filter((text) => text !== '').join(' '),
      count(group.count),
      escaped(idOf(latest.run.id)),
    ]);
  return table(['what', 'why', 'times>', 'last in run'], rows);
}

/** A `>` at the end of a head puts its column to the right. */
function table(heads: readonly string[], rows: readonly (readonly string[])[]): string {
  const line = (cells: readonly string[]): string => `| ${cells.join(' | ')} |`;
  return [
    line(heads.map((head) => head.replace('>', ''))),
    line(heads.map((head) => (head.endsWith('>') ? '--:' : '---'))),
    ...rows.map(line),
  ].join('\n');
}

/**
 * Any text as Markdown that says just that, on one line: what has a meaning in Markdown, in HTML, to GitHub (mentions, formulas, links)
 * or to its runner (`::`, `##[`) is spelled by its number.
 */
export function escaped(text: string): string {
  return oneLine(text).replace(
    /[&<>|`*~[\]\\#@$!"']|(?<![\p{L}\p{N}]_*)_|_(?!_*[\p{L}\p{N}])|:(?=[:/])|(?<=www)\./giu,
    (character) => `&#${character.codePointAt(0)};`,
  );
}
