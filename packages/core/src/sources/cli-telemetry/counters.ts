import type { CountersSeen } from '../../model/observation.ts';
import type { MetricPoint } from '../../model/sink.ts';
import type { AttributeValue } from '../../model/span.ts';
import { costOf, type ExclusiveUsage, type Totals, usageFromExclusive } from '../../model/usage.ts';
import type { OtlpAttributes, OtlpMetric, OtlpNumberPoint } from '../../otlp/records.ts';
import { stringOf } from './fields.ts';

const TOKEN_FIELDS: Readonly<Record<string, keyof ExclusiveUsage>> = {
  input: 'input',
  output: 'output',
  cacheRead: 'cacheRead',
  cacheCreation: 'cacheWrite',
};

/** What one export of `token.usage` and `cost.usage` adds (the CLI exports deltas). */
export function countersFrom(metrics: readonly OtlpMetric[]): CountersSeen | undefined {
  const tokens: Map<string, { -readonly [K in keyof ExclusiveUsage]: number }> = new Map();
  const costs: Map<string, number> = new Map();
  let at = 0n;
  for (const metric of metrics) {
    if (metric.data.type !== 'sum') continue;
    for (const point of metric.data.points) {
      if (!Number.isFinite(point.value)) continue;
      const model = stringOf(point.attributes['model']) ?? 'unknown';
      if (metric.name === 'claude_code.cost.usage')
        costs.set(model, (costs.get(model) ?? 0) + (costOf(point.value) ?? 0));
      else if (metric.name !== 'claude_code.token.usage' || !addTokens(tokens, model, point)) continue;
      if (point.at > at) at = point.at;
    }
  }
  if (at === 0n) return undefined;
  return { type: 'counters', id: `cli:counters:${at}`, source: 'cli', at, totals: totalsOf(tokens, costs) };
}

function addTokens(
  tokens: Map<string, { -readonly [K in keyof ExclusiveUsage]: number }>,
  model: string,
  point: OtlpNumberPoint,
): boolean {
  const field = TOKEN_FIELDS[stringOf(point.attributes['type']) ?? ''];
  if (field === undefined) return false;
  const known = tokens.get(model) ?? {};
  known[field] = (known[field] ?? 0) + point.value;
  tokens.set(model, known);
  return true;
}

function totalsOf(tokens: ReadonlyMap<string, ExclusiveUsage>, costs: ReadonlyMap<string, number>): Totals {
  const sum: { -readonly [K in keyof ExclusiveUsage]: number } = {};
  const byModel: Record<string, NonNullable<Totals['byModel']>[string]> = {};
  let costUsd: number | undefined;
  for (const model of new Set([...tokens.keys(), ...costs.keys()])) {
    const parts = tokens.get(model) ?? {};
    for (const [field, value] of Object.entries(parts) as [keyof ExclusiveUsage, number][])
      sum[field] = (sum[field] ?? 0) + value;
    const cost = costs.get(model);
    if (cost !== undefined) costUsd = (costUsd ?? 0) + cost;
    byModel[model] = { usage: usageFromExclusive(parts) ?? {}, ...(cost === undefined ? {} : { costUsd: cost }) };
  }
  return { usage: usageFromExclusive(sum) ?? {}, ...(costUsd === undefined ? {} : { costUsd }), byModel };
}

/** The CLI's metrics as sinks take them. */
export function metricPoints(metrics: readonly OtlpMetric[]): MetricPoint[] {
  return metrics.flatMap((metric) => {
    const { data } = metric;
    if (data.type !== 'sum' && data.type !== 'gauge') return [];
    return data.points.map(
      (point): MetricPoint => ({
        name: metric.name,
        unit: metric.unit ?? '',
        ...(metric.description === undefined ? {} : { description: metric.description }),
        attributes: plain(point.attributes),
        startedAt: point.startedAt ?? point.at,
        at: point.at,
        ...(point.isInt ? { isInt: true } : {}),
        data:
          data.type === 'gauge'
            ? { type: 'gauge', value: point.value }
            : {
                type: 'sum',
                value: point.value,
                isMonotonic: data.isMonotonic,
                temporality: data.temporality === 2 ? 'cumulative' : 'delta',
              },
      }),
    );
  });
}

function plain(attributes: OtlpAttributes): Record<string, AttributeValue> {
  const plainOnes: Record<string, AttributeValue> = {};
  for (const [name, value] of Object.entries(attributes)) {
    if (typeof value === 'string' || typeof value === 'number' || typeof value === 'boolean') plainOnes[name] = value;
    else if (typeof value === 'bigint') plainOnes[name] = Number(value);
  }
  return plainOnes;
}
