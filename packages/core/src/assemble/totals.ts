import { addUsage, type Totals } from '../model/usage.ts';

/** Sum of two intervals, model by model. */
export function addTotals(left: Totals, right: Totals): Totals {
  const costUsd = addCost(left.costUsd, right.costUsd);
  const byModel = addModels(left.byModel, right.byModel);
  return {
    usage: addUsage(left.usage, right.usage),
    ...(costUsd === undefined ? {} : { costUsd }),
    ...(byModel === undefined ? {} : { byModel }),
  };
}

function addModels(left: Totals['byModel'], right: Totals['byModel']): Totals['byModel'] {
  if (left === undefined || right === undefined) return left ?? right;
  const sum: Record<string, NonNullable<Totals['byModel']>[string]> = { ...left };
  for (const [model, part] of Object.entries(right)) {
    const known = sum[model];
    const costUsd = addCost(known?.costUsd, part.costUsd);
    sum[model] = {
      usage: known === undefined ? part.usage : addUsage(known.usage, part.usage),
      ...(costUsd === undefined ? {} : { costUsd }),
    };
  }
  return sum;
}

function addCost(left: number | undefined, right: number | undefined): number | undefined {
  if (left === undefined || right === undefined) return left ?? right;
  return left + right;
}
