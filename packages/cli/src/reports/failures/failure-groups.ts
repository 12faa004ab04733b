import type { FailureGroup as StoredGroup, RunFilter, Store } from '@spanprism/store';

/** Of what kind a failure is: of a tool, of the Messages API, of a whole turn or subagent, of a step of the user's own … */
export type FailureKind = 'tool' | 'api' | 'outcome' | 'step' | 'permission' | 'hook';

/** Failures of one kind and cause. */
export interface FailureGroup extends Omit<StoredGroup, 'kind'> {
  readonly kind: FailureKind;
}

const KINDS: Readonly<Record<StoredGroup['kind'], FailureKind>> = {
  tool: 'tool',
  llm: 'api',
  agent: 'outcome',
  custom: 'step',
  permission: 'permission',
  hook: 'hook',
};

/** The most frequent first, then the latest. */
export function failureGroups(store: Store, filter: RunFilter): readonly FailureGroup[] {
  return store.failureGroups(filter).map((group) => ({ ...group, kind: KINDS[group.kind] }));
}
