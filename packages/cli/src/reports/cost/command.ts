import { COST_DIMENSIONS, type CostDimension } from '@spanprism/store';
import { type Command, CommandError } from '../../command.ts';
import { jsonDocument, quoted } from '../document.ts';
import { FILTER_OPTIONS, readFilter, readLimit, refuseArguments } from '../filter-options.ts';
import { matching, sayNothingFound, withStore, STORE_NOTE } from '../report.ts';
import { screenOf } from '../screen.ts';
import { costDocument } from './cost-document.ts';
import { costTable } from './cost-table.ts';
import { foldRows } from './fold-rows.ts';

export const command: Command = {
  name: 'cost',
  summary: 'Add up what runs cost, by tool, model, project or what you like',
  usage: ['spanprism cost --by <what> [options]', 'spanprism cost --by tool --since 7d'],
  options: {
    by: { type: 'string', value: 'what', description: `${COST_DIMENSIONS.join(', ')}. Default model` },
    ...FILTER_OPTIONS,
  },
  notes: [
    'A model call’s cost belongs to the tool calls whose results it was the first to read; several share it equally. What belongs to none is in the row `unattributed`, so every grouping adds up to the same total.',
    'Filters choose whole runs.',
    STORE_NOTE,
  ],
  run: async ({ values, positionals }, io) => {
    refuseArguments('cost', positionals);
    const by = readDimension(values['by']);
    const filter = readFilter(values, io.now());
    const limit = readLimit(values);
    return withStore(io, (store) => {
      const report = foldRows(store.cost({ by, filter }), limit);
      const { runs, calls, unpricedCalls } = report.total;
      if (values['json'] === true) io.stdout.write(jsonDocument(costDocument(report)));
      else if (runs === 0) sayNothingFound(store, `no runs${matching(filter)}`, io);
      else {
        io.stdout.write(costTable(report, screenOf(io)));
        if (unpricedCalls > 0)
          io.stderr.write(
            `${unpricedCalls} of ${calls} calls have no cost of their own; what their turns report of it is unattributed\n`,
          );
      }
      return 0;
    });
  },
};

function readDimension(value: unknown): CostDimension {
  const dimension = COST_DIMENSIONS.find((candidate) => candidate === (value ?? 'model'));
  if (dimension !== undefined) return dimension;
  throw new CommandError({
    what: `--by ${quoted(value)} is nothing to group by`,
    fix: `give one of ${COST_DIMENSIONS.join(', ')}`,
  });
}
