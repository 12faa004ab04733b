/** A call, or a tool call, among those of one agent. */
export interface Member {
  readonly spanId: string;
  readonly isCall: boolean;
  /** A call that sends the conversation on. */
  readonly carriesResults: boolean;
  readonly startedAt: bigint;
  readonly endedAt: bigint;
  readonly costNanoUsd: number | null;
}

/**
 * Who caused the cost of an agent's calls: the tool calls whose results a call was the first to carry, that is those that ended since
 * the call before it began. They share it equally, in whole 1e-9 USD; the remainder goes to the one that began first. The order in which
 * members are given does not matter.
 */
export function sharesOf<M extends Member>(members: readonly M[]): Map<M, number> {
  const shares = new Map<M, number>();
  const calls = members.filter((member) => member.isCall && member.carriesResults).sort(byStart);
  if (calls.length === 0) return shares;
  const tools = members.filter((member) => !member.isCall).sort(byEnd);
  let next = 0;
  for (const call of calls) {
    const first = next;
    while (next < tools.length && (tools[next] as M).endedAt <= call.startedAt) next += 1;
    if (next > first && call.costNanoUsd !== null) share(call.costNanoUsd, tools.slice(first, next), shares);
  }
  return shares;
}

function share<M extends Member>(cost: number, tools: readonly M[], shares: Map<M, number>): void {
  const each = Math.trunc(cost / tools.length);
  const [eldest, ...others] = tools.toSorted(byStart);
  if (eldest !== undefined) shares.set(eldest, cost - each * others.length);
  for (const tool of others) shares.set(tool, each);
}

function byStart(a: Member, b: Member): number {
  return compare(a.startedAt, b.startedAt) || compare(a.spanId, b.spanId);
}

function byEnd(a: Member, b: Member): number {
  return compare(a.endedAt, b.endedAt);
}

function compare<T extends bigint | string>(a: T, b: T): number {
  return a < b ? -1 : a > b ? 1 : 0;
}
