import type { Usage } from '@spanprism/core';

/** Tokens as every table has them. */
export interface UsageColumns {
  readonly input_tokens: bigint | number | null;
  readonly output_tokens: bigint | number | null;
  readonly cache_read_tokens: bigint | number | null;
  readonly cache_write_tokens: bigint | number | null;
}

const FIELDS = [
  ['inputTokens', 'input_tokens'],
  ['outputTokens', 'output_tokens'],
  ['cacheReadTokens', 'cache_read_tokens'],
  ['cacheWriteTokens', 'cache_write_tokens'],
] as const satisfies readonly (readonly [keyof Usage, keyof UsageColumns])[];

/** Unknown is absent, never 0. */
export function usageOf(columns: UsageColumns): Usage | undefined {
  const usage: { -readonly [K in keyof Usage]: Usage[K] } = {};
  let isKnown = false;
  for (const [field, column] of FIELDS) {
    const value = columns[column];
    if (value === null) continue;
    usage[field] = Number(value);
    isKnown = true;
  }
  return isKnown ? usage : undefined;
}
