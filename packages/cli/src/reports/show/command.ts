import type { RunDetail, Store } from '@spanprism/store';
import { type Command, CommandError } from '../../command.ts';
import { jsonPieces, quoted } from '../document.ts';
import { withStore, STORE_NOTE, writePieces } from '../report.ts';
import { screenOf } from '../screen.ts';
import { runDocument } from './run-document.ts';
import { runPage } from './run-page.ts';

export const command: Command = {
  name: 'show',
  summary: 'Show what happened in a run: its tree, what failed and why',
  usage: ['spanprism show [run] [options]', 'spanprism show 5f0c2c1e', 'spanprism show last --full'],
  options: {
    full: { type: 'boolean', description: 'All of every thought, answer, input and output' },
    json: { type: 'boolean', description: 'One JSON document with every span as it was captured' },
  },
  notes: [
    'A run is named by its id or the beginning of it, as `spanprism runs` lists it; without one, or with `last`, it is the latest.',
    'Of a tool that failed you see what the model thought and said before it called it.',
    STORE_NOTE,
  ],
  run: async ({ values, positionals }, io) => {
    const [name = 'last', extra] = positionals;
    if (extra !== undefined) {
      throw new CommandError({
        what: `show: unexpected ${quoted(extra)}`,
        fix: 'give one run, or none for the latest',
      });
    }
    return withStore(io, async (store) => {
      const detail = find(store, name);
      if (detail === undefined) throw none(store, name);
      const isFull = values['full'] === true;
      await writePieces(
        io,
        values['json'] === true ? jsonPieces(runDocument(detail)) : runPage(detail, { screen: screenOf(io), isFull }),
      );
      return 0;
    });
  },
};

function find(store: Store, name: string): RunDetail | undefined {
  if (name !== 'last') return store.run(name);
  const [latest] = store.runs({ limit: 1 });
  return latest === undefined ? undefined : store.run(latest.id);
}

function none(store: Store, name: string): CommandError {
  return name === 'last'
    ? new CommandError({
        what: `there are no runs in ${store.path} yet`,
        fix: 'trace one with `spanprism claude`, or read past ones with `spanprism import`',
      })
    : new CommandError({
        what: `there is no run ${quoted(name)} in ${store.path}`,
        fix: 'spanprism runs lists them',
      });
}
