import type { CostDimension } from '@spanprism/store';
import { usdFromNanos } from '../money.ts';
import { usageJson, type UsageJson } from '../run-json.ts';
import type { FoldedReport, FoldedRow } from './fold-rows.ts';

export interface CostRowJson {
  readonly kind: FoldedRow['kind'];
  readonly name: string;
  readonly rows: number;
  readonly calls: number;
  /** Failed ones among the calls; null for sessions, projects, users and branches. */
  readonly errors: number | null;
  /** Null for tools and MCP servers: only money is attributed to them. */
  readonly usage: UsageJson | null;
  readonly costUsd: number;
  readonly costNanoUsd: number;
}

export interface CostJson {
  readonly by: CostDimension;
  readonly rows: readonly CostRowJson[];
  readonly total: {
    readonly runs: number;
    readonly calls: number;
    readonly unpricedCalls: number;
    readonly usage: UsageJson;
    readonly costUsd: number;
    readonly costNanoUsd: number;
  };
}

export function costDocument({ by, rows, total }: FoldedReport): CostJson {
  return {
    by,
    rows: rows.map(({ usage, costNanoUsd, kind, name, rows: count, calls, errors }) => ({
      kind,
      name,
      rows: count,
      calls,
      errors: errors ?? null,
      usage: usage === undefined ? null : usageJson(usage),
      costUsd: usdFromNanos(costNanoUsd),
      costNanoUsd,
    })),
    total: {
      runs: total.runs,
      calls: total.calls,
      unpricedCalls: total.unpricedCalls,
      usage: usageJson(total.usage),
      costUsd: usdFromNanos(total.costNanoUsd),
      costNanoUsd: total.costNanoUsd,
    },
  };
}
