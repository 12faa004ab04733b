import { statSync } from 'node:fs';
import type { Environment } from '@spanprism/core/otlp';

/** What a CI system says of the job that this runs in. */
export interface Job {
  /** Nanoseconds since 1970; absent outside of the systems that are known. */
  readonly startedAt?: bigint;
  /** Where the page of the step is written, as Markdown. */
  readonly summaryPath?: string;
  /** Where the outputs of the step are written. */
  readonly outputPath?: string;
  /** Whether the log is read by GitHub's runner, which makes annotations of its commands. */
  readonly isOnActions: boolean;
}

/** https://docs.github.com/actions/reference/variables-reference, https://docs.gitlab.com/ci/variables/predefined_variables */
export function jobOf(env: Environment): Job {
  const startedAt = startOf(env);
  const { GITHUB_STEP_SUMMARY: summaryPath, GITHUB_OUTPUT: outputPath } = env;
  return {
    isOnActions: env['GITHUB_ACTIONS'] === 'true',
    ...(startedAt === undefined ? {} : { startedAt }),
    ...(summaryPath ? { summaryPath } : {}),
    ...(outputPath ? { outputPath } : {}),
  };
}

const NANOS_PER_MS = 1_000_000n;

function startOf(env: Environment): bigint | undefined {
  // GitHub's runner says no time, but writes the event to a file before the first step of each job.
  const ms = modifiedAt(env['GITHUB_EVENT_PATH']) ?? Date.parse(env['CI_JOB_STARTED_AT'] ?? '');
  return Number.isFinite(ms) ? BigInt(Math.floor(ms)) * NANOS_PER_MS : undefined;
}

function modifiedAt(path: string | undefined): number | undefined {
  return path ? statSync(path, { throwIfNoEntry: false })?.mtimeMs : undefined;
}
