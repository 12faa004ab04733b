import type { Usage } from '@spanprism/core';

/** Input, caches included, and output; unknown if one of them is. */
export function totalTokens(usage: Usage | undefined): number | undefined {
  const { inputTokens, outputTokens } = usage ?? {};
  return inputTokens === undefined || outputTokens === undefined ? undefined : inputTokens + outputTokens;
}
