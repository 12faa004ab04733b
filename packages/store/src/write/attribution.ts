import { SHARED_AT } from '../schema.ts';
import { type Member, sharesOf } from '../shares.ts';
import { ERROR, type Figures, LLM, type SpanRow } from '../span-row.ts';
import type { Database, Statement } from '../sqlite.ts';
import type { Names } from './names.ts';
import type { Addition, Sums } from './sums.ts';

interface StoredMember extends Member {
  readonly run: number;
  readonly name: number;
  readonly mcpServer: number | null;
  /** Who called, by the call's own words. */
  readonly agent: number | null;
  readonly isError: boolean;
  readonly figures: Figures;
}

/** The calls and tool calls of one agent that this transaction adds. */
interface Group {
  readonly run: number;
  readonly agentSpanId: string;
  readonly fresh: StoredMember[];
  /** Whose they are, once the agent's own span is there; until then each call goes by its own words. */
  agent: number | undefined;
}

interface MemberColumns
  extends Record<'run' | 'kind' | 'name' | 'carries' | 'status' | 'started_at' | 'ended_at', bigint> {
  readonly span_id: string;
  readonly mcp_server: bigint | null;
  readonly agent: bigint | null;
  readonly input_tokens: bigint | null;
  readonly output_tokens: bigint | null;
  readonly cache_read_tokens: bigint | null;
  readonly cache_write_tokens: bigint | null;
  readonly cost: bigint | null;
}

interface AgentColumns {
  readonly agent: number;
  readonly is_turn: number;
}

const MEMBERS = `SELECT run, kind, lower(hex(span_id)) AS span_id, name, mcp_server, agent, carries, status, started_at,
  started_at + duration AS ended_at, input_tokens, output_tokens, cache_read_tokens, cache_write_tokens, cost
  FROM span WHERE parent_id = ? AND run = ? AND kind IN (1, 2) AND id <= ?`;

/** When a call that carries results began, the next before an instant, or at it or after. */
const nextCall = (condition: string, order: string): string => `SELECT ${SHARED_AT} AS at FROM span
  WHERE parent_id = ? AND run = ? AND kind IN (1, 2) AND carries = 1 AND id <= ? AND ${SHARED_AT} ${condition} ? ORDER BY 1 ${order} LIMIT 1`;

/** All instants are between them. */
const EVER = { from: -(2n ** 63n), to: 2n ** 63n - 1n };

/**
 * Keeps the sums by tool, MCP server and subagent. An agent's spans come in any order, and each may change what its neighbours in time are
 * given: their shares are taken from the sums as they were, and added as they are with what is new.
 */
export class Attribution {
  readonly #all: Statement;
  readonly #between: Statement;
  readonly #callBefore: Statement;
  readonly #callAfter: Statement;
  readonly #last: Statement;
  readonly #selectAgent: Statement;
  readonly #names: Names;
  readonly #sums: Sums;
  /** By run and the hex of the agent's span id: ids that a program mints anew for each run are not unique among runs. */
  readonly #groups: Map<string, Group> = new Map();
  /** The group that was asked for last: mostly it is the next, too. */
  #lastGroup: Group | undefined;
  /** The last span that was stored before what the groups have. */
  #before = 0;

  constructor(database: Database, parts: { readonly names: Names; readonly sums: Sums }) {
    this.#names = parts.names;
    this.#sums = parts.sums;
    this.#all = database.prepare(MEMBERS);
    this.#between = database.prepare(`${MEMBERS} AND ${SHARED_AT} > ? AND ${SHARED_AT} <= ?`);
    this.#callBefore = database.prepare(nextCall('<', 'DESC'));
    this.#callAfter = database.prepare(nextCall('>=', 'ASC'));
    for (const asked of [this.#all, this.#between, this.#callBefore, this.#callAfter]) asked.setReadBigInts(true);
    this.#last = database.prepare('SELECT max(id) AS id FROM span');
    this.#selectAgent = database.prepare(
      'SELECT agent, is_turn FROM span WHERE span_id = ? AND run = ? AND kind = 0 AND id <= ?',
    );
  }

  /** Called within the transaction, before it stores anything. */
  begin(): void {
    this.#before = (this.#last.get() as { readonly id: number | null }).id ?? 0;
  }

  /** A call or tool call that is new, and the agent that it is stored under. */
  add(row: SpanRow, run: number, agentSpanId: string | null): void {
    const member = this.#memberOf(row, run);
    const group = agentSpanId === null ? undefined : this.#groupOf(run, agentSpanId);
    group?.fresh.push(member);
    if (member.isCall) this.#count(member, group?.agent ?? member.agent, 1);
  }

  /** An agent that is new: its calls were counted under their own words until now. */
  addAgent(row: SpanRow, run: number): void {
    const group = this.#groupOf(run, row.spanId);
    const agent = row.isTurn ? this.#names.id('main') : this.#names.id(row.agent);
    if (agent === null || group.agent !== undefined) return;
    group.agent = agent;
    for (const member of [...this.#membersOf(run, row.spanId), ...group.fresh]) {
      if (!member.isCall || member.agent === agent) continue;
      this.#count(member, member.agent, -1);
      this.#count(member, agent, 1);
    }
  }

  /** Runs what hangs members of one agent below another. */
  regroup(run: number, agents: readonly string[], change: () => void): void {
    this.save();
    this.begin();
    for (const spanId of agents) this.#account(run, spanId, -1);
    change();
    for (const spanId of agents) this.#account(run, spanId, 1);
  }

  save(): void {
    for (const group of this.#groups.values()) {
      const neighbours = this.#neighboursOf(group);
      if (neighbours === undefined) continue;
      this.#share(neighbours, -1);
      this.#share([...neighbours, ...group.fresh], 1);
    }
    this.forget();
  }

  forget(): void {
    this.#groups.clear();
    this.#lastGroup = undefined;
  }

  #account(run: number, agentSpanId: string, sign: 1 | -1): void {
    const members = this.#membersOf(run, agentSpanId);
    const agent = this.#agentOf(run, agentSpanId);
    this.#share(members, sign);
    for (const member of members) if (member.isCall) this.#count(member, agent ?? member.agent, sign);
  }

  #groupOf(run: number, agentSpanId: string): Group {
    const last = this.#lastGroup;
    if (last !== undefined && last.run === run && last.agentSpanId === agentSpanId) return last;
    const place = `${run} ${agentSpanId}`;
    const group = this.#groups.get(place) ?? { run, agentSpanId, fresh: [], agent: this.#agentOf(run, agentSpanId) };
    this.#groups.set(place, group);
    this.#lastGroup = group;
    return group;
  }

  /** The name by which its calls are counted; undefined as long as it was not stored before. */
  #agentOf(run: number, spanId: string): number | undefined {
    const row = this.#selectAgent.get(Buffer.from(spanId, 'hex'), run, this.#before) as AgentColumns | undefined;
    if (row === undefined) return undefined;
    return row.is_turn === 1 ? this.#names.id('main') : row.agent;
  }

  #membersOf(run: number, agentSpanId: string): readonly StoredMember[] {
    return membersIn(this.#all.all(Buffer.from(agentSpanId, 'hex'), run, this.#before));
  }

  /**
   * Those that are stored and whose shares what is new may change: from the last call before it, which keeps what it was given, to the
   * first after it. Undefined when what is new is given nothing and gives nothing.
   */
  #neighboursOf({ run, agentSpanId, fresh }: Group): readonly StoredMember[] | undefined {
    const first = fresh.reduce((earliest, member) => earlier(earliest, sharedAt(member)), EVER.to);
    const last = fresh.reduce((latest, member) => later(latest, sharedAt(member)), EVER.from);
    const agent = [Buffer.from(agentSpanId, 'hex'), run, this.#before] as const;
    const after = this.#callAfter.get(...agent, last) as { readonly at: bigint } | undefined;
    if (after === undefined && !fresh.some(({ carriesResults }) => carriesResults)) return undefined;
    const before = this.#callBefore.get(...agent, first) as { readonly at: bigint } | undefined;
    return membersIn(this.#between.all(...agent, before?.at ?? EVER.from, after?.at ?? EVER.to));
  }

  #memberOf(row: SpanRow, run: number): StoredMember {
    const { spanId, carriesResults, startedAt, endedAt, figures } = row;
    return {
      run,
      spanId,
      isCall: row.kind === LLM,
      carriesResults,
      startedAt,
      endedAt,
      costNanoUsd: figures?.costNanoUsd ?? null,
      name: this.#names.id(row.name),
      mcpServer: this.#names.id(row.mcpServer),
      agent: this.#names.id(row.agent),
      isError: row.status === ERROR,
      figures: figures ?? NOTHING,
    };
  }

  #share(members: readonly StoredMember[], sign: 1 | -1): void {
    for (const [{ run, name, mcpServer }, share] of sharesOf(members)) {
      const cost = sign * share;
      this.#sums.add({ run, dimension: 'tool', name }, { cost });
      if (mcpServer !== null) this.#sums.add({ run, dimension: 'mcp-server', name: mcpServer }, { cost });
    }
  }

  #count(member: StoredMember, agent: number | null, sign: 1 | -1): void {
    if (agent === null) return;
    const { figures, isError } = member;
    const call: Addition = {
      calls: sign,
      errors: isError ? sign : 0,
      figures: sign === 1 ? figures : negative(figures),
    };
    this.#sums.add({ run: member.run, dimension: 'subagent', name: agent }, call);
  }
}

const NOTHING: Figures = {
  inputTokens: null,
  outputTokens: null,
  cacheReadTokens: null,
  cacheWriteTokens: null,
  costNanoUsd: null,
};

function negative(figures: Figures): Figures {
  const entries = Object.entries(figures).map(([name, value]) => [name, value === null ? null : -value]);
  return Object.fromEntries(entries) as unknown as Figures;
}

/** As `SHARED_AT` has it. */
function sharedAt({ isCall, startedAt, endedAt }: Member): bigint {
  return isCall ? startedAt : endedAt;
}

function earlier(a: bigint, b: bigint): bigint {
  return a < b ? a : b;
}

function later(a: bigint, b: bigint): bigint {
  return a > b ? a : b;
}

function membersIn(rows: readonly unknown[]): readonly StoredMember[] {
  return (rows as readonly MemberColumns[]).map(fromColumns);
}

function fromColumns(row: MemberColumns): StoredMember {
  const number = (value: bigint | null): number | null => (value === null ? null : Number(value));
  return {
    run: Number(row.run),
    spanId: row.span_id,
    isCall: Number(row.kind) === LLM,
    carriesResults: row.carries === 1n,
    startedAt: row.started_at,
    endedAt: row.ended_at,
    costNanoUsd: number(row.cost),
    name: Number(row.name),
    mcpServer: number(row.mcp_server),
    agent: number(row.agent),
    isError: Number(row.status) === ERROR,
    figures: {
      inputTokens: number(row.input_tokens),
      outputTokens: number(row.output_tokens),
      cacheReadTokens: number(row.cache_read_tokens),
      cacheWriteTokens: number(row.cache_write_tokens),
      costNanoUsd: number(row.cost),
    },
  };
}
