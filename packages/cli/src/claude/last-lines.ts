import { count, dollars, tokens } from '@spanprism/core/terminal';
import type { RunReport } from './trace-run.ts';

/** The line at the end: which run it was, or which several in one sitting, what they took, where it went. */
export function summaryOf({ totals, chosen: { places, storePath } }: RunReport): string {
  const { runIds, inputTokens, cacheReadTokens, outputTokens, costUsd, tools, failedTools } = totals;
  const [runId = 'unknown'] = runIds;
  const failed = failedTools > 0 ? ` (${count(failedTools)} failed)` : '';
  const parts = [
    runIds.length > 1 ? `runs ${runIds.join(', ')}` : `run ${runId}`,
    tokens({ inputTokens, cacheReadTokens, outputTokens }),
    ...(costUsd === undefined ? [] : [dollars(costUsd)]),
    `${count(tools)} ${tools === 1 ? 'tool' : 'tools'}${failed}`,
    `to ${places.length === 0 ? 'nowhere' : places.join(', ')}`,
  ];
  const look = runIds.length > 1 ? 'runs' : `show ${runId.slice(0, 8)}`;
  const hint = storePath === undefined ? '' : `; spanprism ${look}`;
  return `${parts.join(' · ')}${hint}`;
}
