import type { OtlpAttributes, OtlpGroup, OtlpMetric, OtlpMetricData, OtlpRequest } from '@spanprism/core/otlp';

/** One request, by who needs what of it. */
export interface Partition {
  /** By session id. */
  readonly sessions: ReadonlyMap<string, OtlpRequest>;
  /** For each group of the request, in its order, whether it is Claude Code's, and so is not handed on as it came. */
  readonly isClaudes: readonly boolean[];
  readonly records: number;
  /** Records of Claude Code beside others of several sessions, without a session of their own. */
  readonly homeless: number;
}

/** All instrumentation scopes of Claude Code begin so, whatever its service is called. */
const SCOPE = 'com.anthropic.claude_code';

/** Finds out whose records are in a request. Claude Code names the session in each span, log record and data point. */
export function partition(request: OtlpRequest): Partition {
  const found = new Found(request.signal);
  const isClaudes = request.groups.map((group: OtlpGroup<unknown>) => {
    if (!group.scope.name.startsWith(SCOPE)) return false;
    return request.signal === 'metrics' ? found.metrics(group as OtlpGroup<OtlpMetric>) : found.records(group as Group);
  });
  let records = 0;
  for (const group of request.groups) records += group.records.length;
  return { sessions: found.sessions, isClaudes, records, homeless: found.homeless };
}

type Group = OtlpGroup<{ readonly attributes: OtlpAttributes }>;

class Found {
  readonly sessions = new Map<string, OtlpRequest>();
  homeless = 0;
  readonly #signal: OtlpRequest['signal'];

  constructor(signal: OtlpRequest['signal']) {
    this.#signal = signal;
  }

  /** False when no record names a session. */
  records(group: Group): boolean {
    const bySession = grouped(group.records, ({ attributes }) => attributes);
    return this.#add(group, bySession, (id) => sessionOf(group.resource) ?? id);
  }

  metrics(group: OtlpGroup<OtlpMetric>): boolean {
    const bySession = new Map<string | undefined, OtlpMetric[]>();
    for (const metric of group.records)
      for (const [id, data] of split(metric.data)) listOf(bySession, id).push({ ...metric, data });
    return this.#add(group, bySession, (id) => id);
  }

  /** Records without a session of their own go where all others of the group go, if that is one place. */
  #add<R>(
    group: OtlpGroup<R>,
    bySession: Map<string | undefined, R[]>,
    homeOf: (only: string | undefined) => string | undefined,
  ): boolean {
    const homeless = bySession.get(undefined);
    const named = [...bySession.keys()].filter((id) => id !== undefined);
    const home = homeOf(named.length === 1 ? named[0] : undefined);
    if (named.length === 0 && home === undefined) return false;
    if (homeless !== undefined && home === undefined) this.homeless += homeless.length;
    // Nearly always all records are of one session: then the group is taken as it is.
    if (bySession.size === 1 || (homeless !== undefined && named.length <= 1 && home !== undefined)) {
      this.#append(home ?? named[0] ?? '', group);
      return true;
    }
    for (const [id = home, records] of bySession) if (id !== undefined) this.#append(id, { ...group, records });
    return true;
  }

  #append(id: string, group: OtlpGroup<unknown>): void {
    const known = this.sessions.get(id);
    const groups = known === undefined ? [group] : [...known.groups, group];
    // The groups are of the request's own signal.
    this.sessions.set(id, { signal: this.#signal, groups } as OtlpRequest);
  }
}

function grouped<R>(records: readonly R[], attributesOf: (record: R) => OtlpAttributes): Map<string | undefined, R[]> {
  const bySession = new Map<string | undefined, R[]>();
  for (const record of records) listOf(bySession, sessionOf(attributesOf(record))).push(record);
  return bySession;
}

function split(data: OtlpMetricData): ReadonlyMap<string | undefined, OtlpMetricData> {
  if (data.type === 'other') return new Map([[undefined, data]]);
  const points = grouped<{ readonly attributes: OtlpAttributes }>(data.points, ({ attributes }) => attributes);
  // The points are of the metric's own type.
  return new Map([...points].map(([id, some]) => [id, { ...data, points: some } as unknown as OtlpMetricData]));
}

function sessionOf(attributes: OtlpAttributes): string | undefined {
  const id = attributes['session.id'];
  return typeof id === 'string' && id !== '' ? id : undefined;
}

function listOf<K, V>(lists: Map<K, V[]>, key: K): V[] {
  const known = lists.get(key);
  if (known !== undefined) return known;
  const list: V[] = [];
  lists.set(key, list);
  return list;
}
