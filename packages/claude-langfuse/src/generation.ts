import type { LlmSpan, UnixNano, Usage } from '@spanprism/core';

type Figures = Readonly<Record<string, number>>;

/** What Langfuse shows, counts and prices of one call. */
export interface Generation {
  readonly model: string;
  readonly modelParameters: Readonly<Record<string, string | boolean>>;
  /** Buckets that share no token, by the names that Langfuse has prices for. */
  readonly usageDetails: Figures | undefined;
  /** US dollars. Where they are not known, Langfuse multiplies the buckets with prices of its own. */
  readonly costDetails: Figures | undefined;
  readonly completionStartTime: string | undefined;
}

export function generationOf({ requestModel, responseModel, provider, ...span }: LlmSpan): Generation {
  const { usage, costUsd, firstTokenAt } = span;
  return {
    model: responseModel ?? requestModel,
    modelParameters: { model: requestModel, provider, ...(firstTokenAt === undefined ? {} : { stream: true }) },
    usageDetails: usage && bucketsOf(usage),
    costDetails: costUsd === undefined ? undefined : { total: costUsd },
    completionStartTime: firstTokenAt === undefined ? undefined : isoTime(firstTokenAt),
  };
}

/**
 * Langfuse adds up all buckets that begin with `input`, and ours includes the cache. Writes that live an hour have a price of
 * their own; those of five minutes have that of `input_cache_creation`, which servers of every age know. Thinking stays within
 * the output, as its bucket has no price.
 */
function bucketsOf({ inputTokens, outputTokens, cacheReadTokens, ...writes }: Usage): Figures {
  const { cacheWriteTokens, cacheWrite1hTokens } = writes;
  const buckets = Object.entries({
    input: less(inputTokens, cacheReadTokens, cacheWriteTokens),
    output: outputTokens,
    input_cached_tokens: cacheReadTokens,
    input_cache_creation: less(cacheWriteTokens, cacheWrite1hTokens),
    input_cache_creation_1h: cacheWrite1hTokens === 0 ? undefined : cacheWrite1hTokens,
  });
  return Object.fromEntries(buckets.filter((bucket): bucket is [string, number] => bucket[1] !== undefined));
}

/** Never below 0: figures that disagree must not take from those of other calls. */
function less(whole: number | undefined, ...parts: readonly (number | undefined)[]): number | undefined {
  return (
    whole &&
    Math.max(
      0,
      parts.reduce<number>((left, part = 0) => left - part, whole),
    )
  );
}

/** ISO 8601 with as many digits as it takes to be exact. */
export function isoTime(time: UnixNano): string {
  const rest = time % 1_000_000n;
  const toMs = new Date(Number(time / 1_000_000n)).toISOString();
  return rest === 0n ? toMs : toMs.replace('Z', `${String(rest).padStart(6, '0')}Z`);
}
