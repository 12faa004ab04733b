import type { Store, StoredRun } from '@spanprism/store';
import type { Command } from '../../command.ts';
import { jsonDocument } from '../document.ts';
import { FILTER_OPTIONS, readFilter, readLimit, refuseArguments } from '../filter-options.ts';
import { usdFromNanos } from '../money.ts';
import { matching, sayNothingFound, withStore, STORE_NOTE } from '../report.ts';
import { screenOf } from '../screen.ts';
import { runJson } from '../run-json.ts';
import { inputLine } from '../span-content.ts';
import { runsTable } from './runs-table.ts';

export const command: Command = {
  name: 'runs',
  summary: 'List what ran: when, how it ended, tokens and cost',
  usage: ['spanprism runs [options]', 'spanprism runs --failed --since 2d', 'spanprism runs --json --min-cost 0.50'],
  options: FILTER_OPTIONS,
  notes: ['A run is one session of Claude; spanprism show <run> shows what happened in it. Newest first.', STORE_NOTE],
  run: async ({ values, positionals }, io) => {
    refuseArguments('runs', positionals);
    const filter = readFilter(values, io.now());
    const limit = readLimit(values);
    return withStore(io, (store) => {
      // One more than is shown tells whether there is more.
      const found = store.runs({ ...filter, ...(limit === undefined ? {} : { limit: limit + 1 }) });
      const runs = found.slice(0, limit);
      const hasMore = found.length > runs.length;
      if (values['json'] === true) io.stdout.write(jsonDocument(documentOf(runs, hasMore)));
      else if (runs.length === 0) sayNothingFound(store, `no runs${matching(filter)}`, io);
      else {
        io.stdout.write(
          runsTable(
            runs.map((run) => ({ run, prompt: promptOf(store, run) })),
            screenOf(io),
          ),
        );
        if (hasMore) io.stderr.write(`The newest ${runs.length}; --limit 0 shows all\n`);
      }
      return 0;
    });
  },
};

function promptOf(store: Store, { id }: StoredRun): string {
  const turn = store.firstTurn(id)?.body();
  return turn === undefined ? '' : inputLine(turn);
}

function documentOf(runs: readonly StoredRun[], hasMore: boolean): unknown {
  const costNanoUsd = runs.reduce((sum, run) => sum + run.costNanoUsd, 0);
  return {
    runs: runs.map(runJson),
    total: { runs: runs.length, costUsd: usdFromNanos(costNanoUsd), costNanoUsd },
    hasMore,
  };
}
