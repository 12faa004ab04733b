import type { Failure } from '@spanprism/store';

/** Of what kind a failure is: of a tool, of the Messages API, of a whole turn or subagent, or of a step of the user's own. */
export type FailureKind = 'tool' | 'api' | 'outcome' | 'step' | 'permission' | 'hook';

/** Failures of one kind and cause. */
export interface FailureGroup {
  readonly kind: FailureKind;
  /** The tool, the agent or the step; of the API nothing, for a model is not what failed. */
  readonly name?: string;
  /** Error type of a tool or of the API, outcome of an agent. */
  readonly cause?: string;
  readonly count: number;
  readonly runs: number;
  /** Nanoseconds since 1970. */
  readonly firstSeenAt: bigint;
  readonly lastSeenAt: bigint;
  /** The last of them. */
  readonly latest: Failure;
}

type Cause = Pick<FailureGroup, 'kind' | 'name' | 'cause'>;

/** The most frequent first, then the latest. */
export function failureGroups(failures: readonly Failure[]): readonly FailureGroup[] {
  const byCause: Map<string, { cause: Cause; members: Failure[] }> = new Map();
  for (const failure of failures) {
    const cause = causeOf(failure);
    const key = JSON.stringify([cause.kind, cause.name, cause.cause]);
    const group = byCause.get(key);
    if (group === undefined) byCause.set(key, { cause, members: [failure] });
    else group.members.push(failure);
  }
  return [...byCause.values()]
    .map(({ cause, members }) => groupOf(cause, members))
    .toSorted((left, right) => right.count - left.count || (left.lastSeenAt > right.lastSeenAt ? -1 : 1));
}

function groupOf(cause: Cause, members: readonly Failure[]): FailureGroup {
  const inOrder = members.toSorted((left, right) => (left.span.endedAt < right.span.endedAt ? -1 : 1));
  const [first] = inOrder;
  const latest = inOrder.at(-1);
  if (first === undefined || latest === undefined) throw new RangeError('a group has members');
  return {
    ...cause,
    count: members.length,
    runs: new Set(members.map(({ run }) => run.id)).size,
    firstSeenAt: first.span.endedAt,
    lastSeenAt: latest.span.endedAt,
    latest,
  };
}

function causeOf({ span }: Failure): Cause {
  const { kind, name, errorType, outcome } = span;
  switch (kind) {
    case 'tool':
      return { kind: 'tool', name, ...given(errorType) };
    case 'llm':
      return { kind: 'api', ...given(errorType) };
    case 'agent':
      return { kind: 'outcome', name, ...given(outcome) };
    case 'custom':
      return { kind: 'step', name, ...given(errorType) };
    case 'permission':
    case 'hook':
      return { kind, name, ...given(errorType) };
  }
}

function given(cause: string | undefined): { readonly cause?: string } {
  return cause === undefined ? {} : { cause };
}
