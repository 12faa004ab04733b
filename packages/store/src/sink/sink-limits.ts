import { ConfigurationError } from '@spanprism/core';
import type { Environment } from '../store-path.ts';
import type { RetentionLimits } from '../write/retention.ts';
import type { BacklogLimits } from './backlog.ts';

type LimitName = 'maxAgeDays' | 'maxBytes' | 'maxQueuedSpans' | 'maxQueuedBytes';

const MIB = 1024 * 1024;

/** Each limit with the variable that sets it, if there is one, and what it is otherwise. */
const LIMITS: Readonly<Record<LimitName, { readonly variable?: string; readonly otherwise: number }>> = {
  maxAgeDays: { variable: 'SPANPRISM_STORE_MAX_AGE_DAYS', otherwise: 30 },
  maxBytes: { variable: 'SPANPRISM_STORE_MAX_BYTES', otherwise: 2048 * MIB },
  maxQueuedSpans: { otherwise: 100_000 },
  maxQueuedBytes: { otherwise: 64 * MIB },
};

type Limits = { readonly [K in LimitName]?: number };

export function sinkLimits(
  given: Limits,
  environment: Environment,
): { readonly retention: RetentionLimits; readonly backlog: BacklogLimits } {
  const limit = (name: LimitName): number => {
    const { variable, otherwise } = LIMITS[name];
    if (given[name] !== undefined) return checked(given[name], `${name} of sqliteSink`);
    const text = variable === undefined ? undefined : environment[variable];
    return text ? checked(Number(text), `${variable} in the environment`, text) : otherwise;
  };
  return {
    retention: { maxAgeDays: limit('maxAgeDays'), maxBytes: limit('maxBytes') },
    backlog: { maxSpans: limit('maxQueuedSpans'), maxBytes: limit('maxQueuedBytes') },
  };
}

function checked(value: number, from: string, text: string = String(value)): number {
  if (value > 0) return value;
  throw new ConfigurationError('invalid_option', `${from} is ${text}; it can be a number above 0`);
}
