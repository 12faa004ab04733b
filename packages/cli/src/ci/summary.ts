import { addUsage, type Usage } from '@spanprism/core/terminal';
import type { CostReport, FailureGroup, RunFilter, Store, StoredRun } from '@spanprism/store';

/** How a run ended; `cut`: it did not, or has not yet. */
export interface SummarizedRun {
  readonly run: StoredRun;
  readonly ending: string;
  readonly isCut: boolean;
}

/** What a job's runs came to. */
export interface Summary {
  /** The oldest first, as the steps of the job. */
  readonly runs: readonly SummarizedRun[];
  readonly failed: number;
  readonly cut: number;
  readonly usage: Usage;
  readonly costNanoUsd: number;
  /** Calls whose cost nobody told. */
  readonly unpricedCalls: number;
  readonly models: CostReport | undefined;
  readonly tools: CostReport | undefined;
  /** With the words of the last of them, which nothing has looked at yet. */
  readonly failures: readonly (FailureGroup & { readonly text: string })[];
}

/** Of a job in which nothing was traced. */
export const NOTHING: Summary = {
  runs: [],
  failed: 0,
  cut: 0,
  usage: {},
  costNanoUsd: 0,
  unpricedCalls: 0,
  models: undefined,
  tools: undefined,
  failures: [],
};

export function summarize(store: Store, filter: RunFilter): Summary {
  const runs = store
    .runs(filter)
    .toReversed()
    .map((run) => ending(store, run));
  return {
    runs,
    failed: runs.filter(({ run }) => run.failed).length,
    cut: runs.filter(({ isCut }) => isCut).length,
    usage: runs.reduce<Usage>((sum, { run }) => addUsage(sum, run.usage), {}),
    costNanoUsd: runs.reduce((sum, { run }) => sum + run.costNanoUsd, 0),
    unpricedCalls: runs.reduce((sum, { run }) => sum + run.unpricedCalls, 0),
    models: store.cost({ by: 'model', filter }),
    tools: store.cost({ by: 'tool', filter }),
    failures: store.failureGroups(filter).map((group) => {
      return { ...group, text: group.latest.span.body().error?.message ?? '' };
    }),
  };
}

function ending(store: Store, run: StoredRun): SummarizedRun {
  const isCut = wasCut(store, run);
  return { run, isCut, ending: isCut ? 'cut' : (run.outcome ?? (run.failed ? 'failed' : 'completed')) };
}

/** A turn is stored when it ends: calls and tools whose turn is not there are of one that never did. Some calls belong to none. */
function wasCut(store: Store, { id }: StoredRun): boolean {
  const spans = store.run(id)?.spans ?? [];
  const stored = new Set(spans.map(({ spanId }) => spanId));
  return spans.some(({ kind, parentSpanId }) => {
    const isOfTurn = kind === 'llm' || kind === 'tool' || kind === 'permission' || kind === 'hook';
    return isOfTurn && parentSpanId !== undefined && !stored.has(parentSpanId);
  });
}
