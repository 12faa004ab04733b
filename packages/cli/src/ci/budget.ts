import { count } from '@spanprism/core/terminal';
import { CommandError } from '../command.ts';
import { dollars, readDollars } from '../reports/money.ts';
import type { Summary } from './summary.ts';

/** Something that a job may not use more of. */
export interface Budget {
  readonly isOver: boolean;
  /** `cost $3.1000, --max-cost $2.5000`. */
  readonly line: string;
}

type Values = Readonly<Record<string, unknown>>;

/** What the options allow, beside what was used. Throws a `CommandError` for what is no amount. */
export function budgetsOf(values: Values): (summary: Summary) => readonly Budget[] {
  const { 'max-cost': cost, 'max-tokens': tokens } = values;
  const maxCost = typeof cost === 'string' ? readDollars('max-cost', cost) : undefined;
  const maxTokens = typeof tokens === 'string' ? readTokens(tokens) : undefined;
  return ({ costNanoUsd, usage }) => {
    const used = (usage.inputTokens ?? 0) + (usage.outputTokens ?? 0);
    return [
      ...(maxCost === undefined
        ? []
        : [{ isOver: costNanoUsd > maxCost, line: `cost ${dollars(costNanoUsd)}, --max-cost ${dollars(maxCost)}` }]),
      ...(maxTokens === undefined
        ? []
        : [{ isOver: used > maxTokens, line: `tokens ${count(used)}, --max-tokens ${count(maxTokens)}` }]),
    ];
  };
}

function readTokens(text: string): number {
  const digits = text.replaceAll(/[,_]/g, '');
  if (/^\d{1,15}$/.test(digits)) return Number(digits);
  const what = `--max-tokens ${JSON.stringify(text)} is no number of tokens`;
  throw new CommandError({ what, fix: 'give a whole number such as 500000' });
}
