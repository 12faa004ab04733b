import type { Command } from '../../command.ts';
import { jsonDocument } from '../document.ts';
import { FILTER_OPTIONS, readFilter, readLimit, refuseArguments } from '../filter-options.ts';
import { matching, sayNothingFound, withStore, STORE_NOTE } from '../report.ts';
import { screenOf } from '../screen.ts';
import { failureGroups } from './failure-groups.ts';
import { failuresDocument } from './failures-document.ts';
import { failuresTable } from './failures-table.ts';

const FOUND = 1;

export const command: Command = {
  name: 'failures',
  summary: 'Say what failed, how often, and where to look',
  usage: ['spanprism failures [options]', 'spanprism failures --since 7d --project web'],
  options: FILTER_OPTIONS,
  notes: [
    'Failures are grouped by what failed (tool, api, outcome of a turn or subagent, step of your own) and why. Of each group you see the last one, with its input and its run.',
    'Exits with 1 when something failed, with 0 when nothing did.',
    STORE_NOTE,
  ],
  run: async ({ values, positionals }, io) => {
    refuseArguments('failures', positionals);
    const filter = readFilter(values, io.now());
    const limit = readLimit(values);
    return withStore(io, (store) => {
      const groups = failureGroups(store, filter);
      const shown = groups.slice(0, limit);
      if (values['json'] === true) io.stdout.write(jsonDocument(failuresDocument(groups, shown)));
      else if (groups.length === 0) sayNothingFound(store, `nothing failed in runs${matching(filter)}`, io);
      else {
        io.stdout.write(failuresTable(shown, screenOf(io)));
        if (shown.length < groups.length) {
          io.stderr.write(`${shown.length} of ${groups.length} kinds of failure; --limit 0 shows all\n`);
        }
      }
      return groups.length === 0 ? 0 : FOUND;
    });
  },
};
