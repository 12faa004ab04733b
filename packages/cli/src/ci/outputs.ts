import { randomUUID } from 'node:crypto';
import { usdFromNanos } from '../reports/money.ts';
import type { Summary } from './summary.ts';

/** What later steps of a job can ask for. Whole numbers, and the cost in dollars with nine places. */
export function outputsOf(summary: Summary): Readonly<Record<string, string>> {
  const { runs, failed, cut, usage, costNanoUsd } = summary;
  return {
    cost_usd: usdFromNanos(costNanoUsd).toFixed(9),
    input_tokens: String(usage.inputTokens ?? 0),
    output_tokens: String(usage.outputTokens ?? 0),
    runs: String(runs.length),
    failed: String(failed),
    cut: String(cut),
  };
}

/** As lines of `GITHUB_OUTPUT`, with a delimiter that nobody can guess and so no value can hold. */
export function outputLines(outputs: Readonly<Record<string, string>>): string {
  const delimiter = `spanprism_${randomUUID()}`;
  return Object.entries(outputs)
    .map(([name, value]) => `${name}<<${delimiter}\n${value}\n${delimiter}\n`)
    .join('');
}
