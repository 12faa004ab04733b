import { count, dollars, tokens } from '@spanprism/core/terminal';
import type { RunReport } from './trace-run.ts';

/** The line at the end: which run it was, what it took, where it went. */
export function summaryOf({ totals, chosen: { places, storePath } }: RunReport): string {
  const { runId = 'unknown', inputTokens, outputTokens, costUsd, tools, failedTools } = totals;
  const failed = failedTools > 0 ? ` (${count(failedTools)} failed)` : '';
  const parts = [
    `run ${runId}`,
    tokens({ inputTokens, outputTokens }),
    ...(costUsd === undefined ? [] : [dollars(costUsd)]),
    `${count(tools)} ${tools === 1 ? 'tool' : 'tools'}${failed}`,
    `to ${places.length === 0 ? 'nowhere' : places.join(', ')}`,
  ];
  const hint = storePath === undefined ? '' : `; spanprism show ${runId.slice(0, 8)}`;
  return `${parts.join(' · ')}${hint}`;
}
