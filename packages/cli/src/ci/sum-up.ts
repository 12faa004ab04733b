import { appendFileSync, statSync } from 'node:fs';
import type { RunFilter } from '@spanprism/store';
import type { Io } from '../command.ts';
import { readFilter } from '../reports/filter-options.ts';
import { withStore } from '../reports/report.ts';
import { budgetsOf } from './budget.ts';
import { type Job, jobOf } from './job.ts';
import { summaryPage } from './markdown.ts';
import { outputLines, outputsOf } from './outputs.ts';
import { NOTHING, summarize, type Summary } from './summary.ts';

const OVER_BUDGET = 1;
/** GitHub drops the whole summary of a step that has more. */
const SUMMARY_BYTES = 1 << 20;
const A_DAY_MS = 86_400_000;
const NANOS_PER_MS = 1_000_000n;

type Values = Readonly<Record<string, unknown>>;

/** Prints and writes what a job's runs came to; resolves to the exit code. */
export async function sumUp(values: Values, io: Io): Promise<number> {
  const budgets = budgetsOf(values);
  const job = jobOf(io.env);
  const summary = await read(io, filterOf(values, { job, now: io.now() }));
  const settled = budgets(summary);
  const page = summaryPage(summary, { budgets: settled, hasErrorTexts: values['errors'] === true });
  io.stdout.write(page);
  append(job.summaryPath, { text: page, what: 'the summary of the step', mostBytes: SUMMARY_BYTES, io });
  append(job.outputPath, { text: outputLines(outputsOf(summary)), what: 'the outputs of the step', io });
  const over = settled.filter(({ isOver }) => isOver).map(({ line }) => line);
  if (over.length === 0) return 0;
  io.stderr.write(`${job.isOnActions ? '::error::' : ''}spanprism: over budget: ${over.join('; ')}\n`);
  return OVER_BUDGET;
}

function filterOf(values: Values, { job: { startedAt }, now }: { readonly job: Job; readonly now: Date }): RunFilter {
  const filter = readFilter(values, now);
  return { ...filter, since: filter.since ?? startedAt ?? BigInt(now.getTime() - A_DAY_MS) * NANOS_PER_MS };
}

/** A job that was stopped before anything was traced has no store. */
async function read(io: Io, filter: RunFilter): Promise<Summary> {
  try {
    return await withStore(io, (store) => summarize(store, filter));
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'store_missing') return NOTHING;
    throw error;
  }
}

interface Appended {
  readonly text: string;
  readonly what: string;
  readonly mostBytes?: number;
  readonly io: Io;
}

/** The budget is what counts: a page that cannot be written is told, and no more. */
function append(path: string | undefined, { text, what, mostBytes = Infinity, io }: Appended): void {
  if (path === undefined) return;
  try {
    const bytes = (statSync(path, { throwIfNoEntry: false })?.size ?? 0) + Buffer.byteLength(text);
    if (bytes > mostBytes)
      throw new Error(`with it there would be ${bytes} bytes, and beyond ${mostBytes} none is shown`);
    appendFileSync(path, text);
  } catch (error) {
    io.stderr.write(
      `spanprism: ${what} cannot be written: ${error instanceof Error ? error.message : String(error)}\n`,
    );
  }
}
