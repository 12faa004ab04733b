import { count, type Screen, type Segment, type Usage } from '@spanprism/core/terminal';
import { groupedCosts, UNKNOWN_AMOUNT } from '../money.ts';
import { type Column, renderTable } from '../table.ts';
import type { FoldedReport, FoldedRow } from './fold-rows.ts';

interface Row {
  readonly kind: FoldedRow['kind'] | 'total';
  readonly name: string;
  readonly cost: string;
  readonly share: string;
  readonly calls?: number;
  readonly errors?: number;
  readonly usage?: Usage;
}

/** The rows of a grouping and their total, to which the shown amounts add up. */
export function costTable({ by, rows, total }: FoldedReport, screen: Screen): string {
  const isOfTools = by === 'tool' || by === 'mcp-server';
  const costs = groupedCosts(rows, total, isOfTools);
  return renderTable<Row>(
    {
      columns: columnsOf(by),
      rows: rows.map((row, index) => {
        const cost = costs.rows[index] ?? '';
        return { ...row, cost, share: cost === UNKNOWN_AMOUNT ? '' : percent(row.costNanoUsd, total.costNanoUsd) };
      }),
      foot: [
        {
          kind: 'total',
          name: 'total',
          cost: costs.total,
          share: percent(total.costNanoUsd, total.costNanoUsd),
          // The total counts model calls, the rows tool calls.
          ...(isOfTools ? {} : { calls: total.calls, usage: total.usage }),
        },
      ],
    },
    screen,
  );
}

function columnsOf(by: FoldedReport['by']): readonly Column<Row>[] {
  return [
    {
      // Other tables show local times.
      title: by === 'day' ? 'day (UTC)' : by,
      cell: ({ kind, name }) => [kind === 'row' ? 'plain' : kind === 'total' ? 'bold' : 'dim', name],
      flexes: true,
    },
    { title: 'cost', align: 'right', cell: ({ cost }) => ['bold', cost] },
    { title: 'share', align: 'right', cell: ({ share }) => share, dispensable: 1 },
    { title: 'calls', align: 'right', cell: ({ calls }) => figure(calls), dispensable: 2 },
    {
      title: 'errors',
      align: 'right',
      cell: ({ errors = 0 }): Segment => ['bad', errors === 0 ? '' : count(errors)],
      dispensable: 3,
    },
    { title: 'in', align: 'right', cell: ({ usage }) => figure(usage?.inputTokens), dispensable: 4 },
    { title: 'cached', align: 'right', cell: ({ usage }) => figure(usage?.cacheReadTokens), dispensable: 5 },
    { title: 'out', align: 'right', cell: ({ usage }) => figure(usage?.outputTokens), dispensable: 4 },
  ];
}

function figure(value: number | undefined): string {
  return value === undefined || value === 0 ? '' : count(value);
}

function percent(part: number, whole: number): string {
  return whole === 0 ? '' : `${((part / whole) * 100).toFixed(1)} %`;
}
