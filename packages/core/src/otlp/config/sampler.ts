import type { TraceId } from '../../model/ids.ts';
import type { CapturedSpan } from '../../model/sink.ts';

import { pick, readText } from './environment.ts';
import type { Environment, Sourced } from './environment.ts';
import { wrongValue } from './wrong-value.ts';

const ROOTS = ['always_on', 'always_off', 'traceidratio'] as const;
type Root = (typeof ROOTS)[number];

/** OpenTelemetry's names. */
export type SamplerName = Root | `parentbased_${Root}`;

const NAMES: readonly SamplerName[] = [...ROOTS, ...ROOTS.map((root) => `parentbased_${root}` as const)];

export interface SamplerOptions {
  readonly type: SamplerName;
  /** Share of the traces that `traceidratio` keeps, 0 to 1; 1 unless given. */
  readonly ratio?: number;
}

/** True for a span that is to be sent. Whole traces are kept or not, so that no turn arrives in parts. */
export type Sampler = (span: CapturedSpan) => boolean;

/** `rateVariable`: a backend's own variable for the share of traces, which goes before the standard ones. */
export function readSampler(
  option: SamplerOptions | undefined,
  environment: Environment,
  rateVariable?: string,
): Sampler {
  const { type, ratio } =
    option === undefined ? samplerOfEnvironment(environment, rateVariable) : samplerOfOption(option);
  const keeps = KEEPS[type.replace('parentbased_', '') as Root];
  if (!type.startsWith('parentbased_')) return (span) => keeps(span.traceId, ratio);
  return (span) => span.traceIsSampled ?? keeps(span.traceId, ratio);
}

const KEEPS: Readonly<Record<Root, (traceId: TraceId, ratio: number) => boolean>> = {
  always_on: () => true,
  always_off: () => false,
  traceidratio: (traceId, ratio) => randomness(traceId) >= 1 - ratio,
};

// The last 56 bits are the random ones (W3C Trace Context level 2), of which a double holds the upper 52 exactly.
function randomness(traceId: TraceId): number {
  return Number.parseInt(traceId.slice(18, 31), 16) / 2 ** 52;
}

function samplerOfOption({ type, ratio = 1 }: SamplerOptions): Required<SamplerOptions> {
  const from = 'the option sampler';
  return { type: pick({ value: type, from }, NAMES, 'sampler'), ratio: checkRatio({ value: String(ratio), from }) };
}

function samplerOfEnvironment(environment: Environment, rateVariable = ''): Required<SamplerOptions> {
  const rate = readText(environment, rateVariable);
  if (rate !== undefined) return { type: 'parentbased_traceidratio', ratio: checkRatio(rate) };
  const name = readText(environment, 'OTEL_TRACES_SAMPLER') ?? { value: 'parentbased_always_on', from: 'the default' };
  const type = pick(name, NAMES, 'sampler that works here');
  const share = type.endsWith('traceidratio') ? readText(environment, 'OTEL_TRACES_SAMPLER_ARG') : undefined;
  return { type, ratio: share === undefined ? 1 : checkRatio(share) };
}

function checkRatio({ value, from }: Sourced<string>): number {
  const ratio = Number(value);
  if (ratio >= 0 && ratio <= 1) return ratio;
  const fix = 'Give the share of traces to keep as a number from 0 to 1, e.g. 0.1.';
  throw wrongValue(`"${value}" is no ratio`, { from, fix });
}
