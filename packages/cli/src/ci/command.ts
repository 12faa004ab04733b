import { appendFileSync } from 'node:fs';
import type { RunFilter } from '@spanprism/store';
import type { Command, Io } from '../command.ts';
import { FILTER_OPTIONS, readFilter, refuseArguments } from '../reports/filter-options.ts';
import { withStore } from '../reports/report.ts';
import { budgetsOf } from './budget.ts';
import { type Job, jobOf } from './job.ts';
import { summaryPage } from './markdown.ts';
import { outputLines, outputsOf } from './outputs.ts';
import { NOTHING, summarize, type Summary } from './summary.ts';

const OVER_BUDGET = 1;
const A_DAY_MS = 86_400_000;
const NANOS_PER_MS = 1_000_000n;
const { since, until, project, model, user, branch, tag } = FILTER_OPTIONS;

export const command: Command = {
  name: 'ci',
  summary: 'Sum up the runs of this job as Markdown, and fail it over a budget',
  usage: ['spanprism ci [options]', 'spanprism ci --max-cost 2.50', 'spanprism ci --since 1h'],
  options: {
    'max-cost': { type: 'string', value: 'usd', description: 'Exit with 1 if the runs cost more dollars: 2.50' },
    'max-tokens': { type: 'string', value: 'n', description: 'Exit with 1 if they used more tokens, in and out' },
    errors: { type: 'boolean', description: 'Show the words of errors too, which may quote what the agent read' },
    since: {
      ...since!,
      description: `${since!.description}. Default: since this job began, or of the last day where nobody says when it did`,
    },
    ...{ until: until!, project: project!, model: model!, user: user!, branch: branch!, tag: tag! },
  },
  notes: [
    'The page goes to stdout, and on GitHub to the summary of the step as well; cost_usd, input_tokens, output_tokens, runs, failed and cut are outputs of the step.',
    'Exits with 1 over a budget, else with 0: whether claude failed is for its own step to say.',
  ],
  run: async ({ values, positionals }, io) => {
    refuseArguments('ci', positionals);
    const budgets = budgetsOf(values);
    const job = jobOf(io.env);
    const summary = read(io, filterOf(values, { job, now: io.now() }));
    const settled = budgets(summary);
    const page = summaryPage(summary, { budgets: settled, hasErrorTexts: values['errors'] === true });
    io.stdout.write(page);
    append(job.summaryPath, { text: page, what: 'the summary of the step', io });
    append(job.outputPath, { text: outputLines(outputsOf(summary)), what: 'the outputs of the step', io });
    const over = settled.filter(({ isOver }) => isOver).map(({ line }) => line);
    if (over.length === 0) return 0;
    io.stderr.write(`${job.isOnActions ? '::error::' : ''}spanprism: over budget: ${over.join('; ')}\n`);
    return OVER_BUDGET;
  },
};

function filterOf(
  values: Readonly<Record<string, unknown>>,
  { job: { startedAt }, now }: { readonly job: Job; readonly now: Date },
): RunFilter {
  const filter = readFilter(values, now);
  return { ...filter, since: filter.since ?? startedAt ?? BigInt(now.getTime() - A_DAY_MS) * NANOS_PER_MS };
}

/** A job that was stopped before anything was traced has no store. */
function read(io: Io, filter: RunFilter): Summary {
  try {
    return withStore(io, (store) => summarize(store, filter));
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'store_missing') return NOTHING;
    throw error;
  }
}

interface Appended {
  readonly text: string;
  readonly what: string;
  readonly io: Io;
}

/** The budget is what counts: a page that cannot be written is told, and no more. */
function append(path: string | undefined, { text, what, io }: Appended): void {
  if (path === undefined) return;
  try {
    appendFileSync(path, text);
  } catch (error) {
    io.stderr.write(
      `spanprism: ${what} cannot be written: ${error instanceof Error ? error.message : String(error)}\n`,
    );
  }
}
