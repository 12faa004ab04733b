import { isoFromUnixNano } from '@spanprism/core/terminal';
import { inputText } from '../span-content.ts';
import type { FailureGroup, FailureKind } from './failure-groups.ts';

export interface FailureGroupJson {
  readonly kind: FailureKind;
  readonly name: string | null;
  readonly cause: string | null;
  readonly count: number;
  readonly runs: number;
  readonly firstSeenAt: string;
  readonly lastSeenAt: string;
  readonly latest: {
    readonly runId: string;
    readonly spanId: string;
    readonly at: string;
    /** A tool's arguments as they were, the words that an agent or a call was given; null when it was not captured. */
    readonly input: unknown;
    readonly message: string | null;
  };
}

/** What of the groups is shown, and how much there is in all. */
export function failuresDocument(all: readonly FailureGroup[], shown: readonly FailureGroup[]): unknown {
  return {
    failures: shown.map(groupJson),
    total: { groups: all.length, failures: all.reduce((sum, { count }) => sum + count, 0) },
    hasMore: shown.length < all.length,
  };
}

function groupJson({
  kind,
  name,
  cause,
  count,
  runs,
  firstSeenAt,
  lastSeenAt,
  latest,
}: FailureGroup): FailureGroupJson {
  const body = latest.span.body();
  const input = body.kind === 'tool' ? body.input : inputText(body) || undefined;
  return {
    kind,
    name: name ?? null,
    cause: cause ?? null,
    count,
    runs,
    firstSeenAt: isoFromUnixNano(firstSeenAt),
    lastSeenAt: isoFromUnixNano(lastSeenAt),
    latest: {
      runId: latest.run.id,
      spanId: latest.span.spanId,
      at: isoFromUnixNano(latest.span.endedAt),
      input: input ?? null,
      message: body.error?.message ?? null,
    },
  };
}
