import { isoFromUnixNano, msBetween } from '@spanprism/core/terminal';
import type { Usage } from '@spanprism/core';
import type { StoredRun } from '@spanprism/store';
import { usdFromNanos } from './money.ts';

/** What is not known is null: every field is always there. */
export interface UsageJson {
  readonly inputTokens: number | null;
  readonly outputTokens: number | null;
  readonly cacheReadTokens: number | null;
  readonly cacheWriteTokens: number | null;
}

export interface RunJson {
  readonly id: string;
  readonly startedAt: string;
  readonly endedAt: string;
  readonly durationMs: number;
  readonly failed: boolean;
  readonly outcome: string | null;
  readonly agentName: string | null;
  readonly project: string | null;
  readonly user: string | null;
  readonly branch: string | null;
  readonly tags: readonly string[];
  readonly models: readonly string[];
  readonly turns: number;
  readonly spans: number;
  readonly llmCalls: number;
  readonly unpricedCalls: number;
  readonly toolCalls: number;
  readonly errors: number;
  readonly usage: UsageJson;
  readonly costUsd: number;
  readonly costNanoUsd: number;
  readonly unattributedUsd: number;
  readonly unattributedNanoUsd: number;
}

export function runJson(run: StoredRun): RunJson {
  const { id, startedAt, endedAt, failed, outcome, agentName, project, user, branch, tags, models, turns } = run;
  const { spans, llmCalls, unpricedCalls, toolCalls, errors, usage, costNanoUsd, unattributedNanoUsd } = run;
  return {
    id,
    startedAt: isoFromUnixNano(startedAt),
    endedAt: isoFromUnixNano(endedAt),
    durationMs: msBetween(startedAt, endedAt),
    failed,
    outcome: outcome ?? null,
    agentName: agentName ?? null,
    project: project ?? null,
    user: user ?? null,
    branch: branch ?? null,
    tags,
    models,
    turns,
    spans,
    llmCalls,
    unpricedCalls,
    toolCalls,
    errors,
    usage: usageJson(usage),
    costUsd: usdFromNanos(costNanoUsd),
    costNanoUsd,
    unattributedUsd: usdFromNanos(unattributedNanoUsd),
    unattributedNanoUsd,
  };
}

export function usageJson(usage: Usage): UsageJson {
  const { inputTokens, outputTokens, cacheReadTokens, cacheWriteTokens } = usage;
  return {
    inputTokens: inputTokens ?? null,
    outputTokens: outputTokens ?? null,
    cacheReadTokens: cacheReadTokens ?? null,
    cacheWriteTokens: cacheWriteTokens ?? null,
  };
}
