import type { RunFilter } from '@spanprism/store';
import { CommandError, type OptionTable } from '../command.ts';
import { quoted } from './document.ts';
import { readInstant } from './instant.ts';
import { readDollars, usdFromNanos } from './money.ts';

/** Which runs a report is about, and how it is printed: the same in every report that is about several. */
export const FILTER_OPTIONS: OptionTable = {
  since: {
    type: 'string',
    value: 'time',
    description: 'Runs that went on after this: 90m, 2h, 7d, 2026-11-21 or an ISO time',
  },
  until: { type: 'string', value: 'time', description: 'Runs that began before this; a date counts to its end' },
  failed: { type: 'boolean', description: 'Only runs in which a turn or a step of your own failed' },
  project: {
    type: 'string',
    value: 'name',
    description: 'Your `project` attribute, else the name of the working folder',
  },
  model: { type: 'string', value: 'name', description: 'Runs that called this model' },
  user: { type: 'string', value: 'id', description: 'Your `user.id` attribute' },
  branch: { type: 'string', value: 'name', description: 'The git branch' },
  tag: { type: 'string', value: 'tag', description: 'Runs with this tag' },
  'min-cost': { type: 'string', value: 'usd', description: 'Runs that cost at least so many dollars: 0.50' },
  limit: { type: 'string', value: 'n', description: 'Rows at most; 0 for all. Default 20 in a table, all in JSON' },
  json: { type: 'boolean', description: 'One JSON document instead of a table' },
};

/** Rows of a table that nobody asked to be longer. */
const DEFAULT_ROWS = 20;

type Values = Readonly<Record<string, unknown>>;

export function readFilter(values: Values, now: Date): RunFilter {
  const text = (name: string): string | undefined => textOf(values, name);
  const since = text('since');
  const until = text('until');
  const minCost = text('min-cost');
  const filter: RunFilter = {
    ...(since === undefined ? {} : { since: readInstant('since', since, { now, edge: 'start' }) }),
    ...(until === undefined ? {} : { until: readInstant('until', until, { now, edge: 'end' }) }),
    ...(values['failed'] === true ? { failed: true } : {}),
    ...given('project', text('project')),
    ...given('model', text('model')),
    ...given('user', text('user')),
    ...given('branch', text('branch')),
    ...given('tag', text('tag')),
    ...(minCost === undefined ? {} : { minCostUsd: usdFromNanos(readDollars('min-cost', minCost)) }),
  };
  if (filter.since !== undefined && filter.until !== undefined && filter.since > filter.until) {
    throw new CommandError({ what: `--since ${since} is later than --until ${until}`, fix: 'exchange the two' });
  }
  return filter;
}

/** Rows at most; undefined = all. */
export function readLimit(values: Values): number | undefined {
  const text = textOf(values, 'limit');
  if (text === undefined) return values['json'] === true ? undefined : DEFAULT_ROWS;
  if (!/^\d{1,9}$/.test(text)) {
    throw new CommandError({
      what: `--limit ${quoted(text)} is no number of rows`,
      fix: 'give a whole number, 0 for all',
    });
  }
  return text === '0' ? undefined : Number(text);
}

/** Nothing of this kind of command comes without an option's name before it. */
export function refuseArguments(name: string, positionals: readonly string[]): void {
  const [first] = positionals;
  if (first === undefined) return;
  throw new CommandError({
    what: `${name}: unexpected ${quoted(first)}`,
    fix: `spanprism help ${name} lists its options`,
  });
}

function textOf(values: Values, name: string): string | undefined {
  const value = values[name];
  if (typeof value !== 'string') return undefined;
  if (value.trim() !== '') return value;
  throw new CommandError({ what: `--${name} is empty`, fix: 'give it a value, or leave it out' });
}

function given<K extends string>(name: K, value: string | undefined): { readonly [P in K]?: string } {
  return (value === undefined ? {} : { [name]: value }) as { readonly [P in K]?: string };
}
