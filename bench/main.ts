// Runs every benchmark and prints one table of ratios. Only ratios within one run mean anything: machines and their neighbours differ.
import { parseArgs } from 'node:util';

interface Row {
  readonly name: string;
  readonly metric: string;
  readonly value: number;
  readonly unit: string;
}

/** `name` is `ours / peer, metric`, after two rows; without a budget it is told for its own sake. */
interface Ratio {
  readonly name: string;
  readonly value: number;
  /** Of `value` and `budget`, when they are no ratio. */
  readonly unit?: string;
  readonly budget?: number;
  readonly holds?: boolean;
}

interface Report {
  readonly title: string;
  readonly rows: readonly Row[];
  readonly ratios: readonly Ratio[];
}

const BENCHES: Readonly<Record<string, string>> = {
  wrapper: './src/wrapper.mjs',
  heap: './src/heap.mjs',
  import: './src/import.mjs',
  'import-transcripts': './src/import-transcripts.mjs',
  encoding: './src/encoding.mjs',
  'receiver-decode': './src/receiver-decode.mjs',
  wire: './src/wire.mjs',
  command: './src/command.mjs',
  'command-start': './src/command-start.mjs',
  store: './src/store.mjs',
  collect: './src/collect.mjs',
  'store-ingest': './src/store-ingest.mjs',
};

const { values: options } = parseArgs({
  options: { json: { type: 'boolean' }, only: { type: 'string', multiple: true } },
});

const reports = await runAll(options.only ?? Object.keys(BENCHES));
const missed = reports.flatMap(({ ratios }) => ratios.filter(({ holds }) => holds === false));

if (options.json) console.log(JSON.stringify(reports, undefined, 2));
else {
  for (const report of reports) printRows(report);
  printRatios(reports);
}
process.exitCode = missed.length === 0 ? 0 : 1;

/** One after the other: they would take each other's processor. */
async function runAll(names: readonly string[]): Promise<Report[]> {
  const unknown = names.filter((name) => !Object.hasOwn(BENCHES, name));
  if (unknown.length > 0) throw new Error(`--only ${unknown.join(', ')}: there are ${Object.keys(BENCHES).join(', ')}`);
  const done: Report[] = [];
  for (const name of names) {
    process.stderr.write(`${name} …\n`);
    const { run } = (await import(BENCHES[name] ?? '')) as { run(): Promise<Report> };
    done.push(await run());
  }
  return done;
}

function printRows({ title, rows }: Report): void {
  console.log(`\n${title}`);
  printTable(rows.map(({ name, metric, value, unit }) => [name, metric, `${figure(value)} ${unit}`]));
}

function printRatios(all: readonly Report[]): void {
  const header = ['what', 'ours', 'peer', 'ratio', 'budget', 'holds'];
  const lines = all.flatMap(({ rows, ratios }) => ratios.map((ratio) => ratioLine(ratio, rows)));
  console.log('\nRatios');
  printTable([header, ...lines]);
}

function ratioLine({ name, value, unit = '', budget, holds }: Ratio, rows: readonly Row[]): string[] {
  const [pair = '', ...metric] = name.split(', ');
  const figureOf = (side: string | undefined): string => {
    const row = rows.find((one) => one.name === side && one.metric === metric.join(', '));
    return row === undefined ? '' : `${figure(row.value)} ${row.unit}`;
  };
  const [ours, peer] = pair.split(' / ');
  const verdict = holds === undefined ? '' : holds ? 'yes' : 'NO';
  const limit = budget === undefined ? '' : `≤ ${figure(budget)} ${unit}`.trimEnd();
  return [name, figureOf(ours), figureOf(peer), `${figure(value)} ${unit}`.trimEnd(), limit, verdict];
}

function figure(value: number): string {
  if (Math.abs(value) >= 100) return Math.round(value).toLocaleString('en');
  return value.toPrecision(3);
}

function printTable(lines: readonly (readonly string[])[]): void {
  const widths: number[] = [];
  for (const line of lines) {
    for (const [column, cell] of line.entries()) widths[column] = Math.max(widths[column] ?? 0, cell.length);
  }
  for (const line of lines)
    console.log(`  ${line.map((cell, column) => cell.padEnd(widths[column] ?? 0)).join('  ')}`.trimEnd());
}
