import { AGENT, LLM } from '../span-row.ts';
import type { Database, Statement } from '../sqlite.ts';
import type { Names } from './names.ts';
import type { Sums } from './sums.ts';

/** A call or a tool call of one agent. */
interface Member {
  readonly id: bigint;
  readonly run: bigint;
  readonly kind: bigint;
  readonly name: bigint;
  readonly agent: bigint | null;
  readonly mcp_server: bigint | null;
  readonly status: bigint;
  readonly carries: bigint;
  readonly started_at: bigint;
  readonly ended_at: bigint;
  readonly input_tokens: bigint | null;
  readonly output_tokens: bigint | null;
  readonly cache_read_tokens: bigint | null;
  readonly cache_write_tokens: bigint | null;
  readonly cost: bigint | null;
  readonly carried: bigint | null;
}

/**
 * Who caused the cost of a call: the tool calls of the same agent whose results it was the first to carry, in equal shares. An agent's
 * spans may come in any order, so whatever is new decides anew about all calls of its agent, and only what changes is written.
 */
export class Attribution {
  readonly #members: Statement;
  readonly #agent: Statement;
  readonly #carry: Statement;
  readonly #rename: Statement;
  readonly #names: Names;
  readonly #sums: Sums;
  /** Agents with new members, by the hex of their span id. */
  readonly #touched: Set<string> = new Set();

  constructor(database: Database, parts: { readonly names: Names; readonly sums: Sums }) {
    this.#names = parts.names;
    this.#sums = parts.sums;
    this.#members = database.prepare(
      `SELECT id, run, kind, name, agent, mcp_server, status, carries, started_at, started_at + duration AS ended_at,
         input_tokens, output_tokens, cache_read_tokens, cache_write_tokens, cost, carried
       FROM span WHERE parent_id = ? AND kind IN (1, 2) ORDER BY started_at, span_id`,
    );
    this.#members.setReadBigInts(true);
    this.#agent = database.prepare(`SELECT agent, is_turn FROM span WHERE span_id = ? AND kind = ${AGENT}`);
    this.#carry = database.prepare('UPDATE span SET carried = ? WHERE id = ?');
    this.#rename = database.prepare('UPDATE span SET agent = ? WHERE id = ?');
  }

  touch(agentSpanId: string): void {
    this.#touched.add(agentSpanId);
  }

  forget(): void {
    this.#touched.clear();
  }

  save(): void {
    for (const spanId of this.#touched) {
      const id = Buffer.from(spanId, 'hex');
      const members = this.#members.all(id) as unknown as Member[];
      if (members.length === 0) continue;
      this.#share(members);
      const agent = this.#agent.get(id) as { readonly agent: number; readonly is_turn: number } | undefined;
      if (agent !== undefined) this.#name(members, agent.is_turn === 1 ? this.#names.id('main') : agent.agent);
    }
    this.#touched.clear();
  }

  #share(members: readonly Member[]): void {
    const shares = sharesOf(members);
    for (const member of members) {
      if (member.kind === BigInt(LLM)) continue;
      const share = shares.get(member) ?? null;
      if (share === member.carried) continue;
      this.#carry.run(share, member.id);
      const cost = Number((share ?? 0n) - (member.carried ?? 0n));
      if (cost === 0) continue;
      const run = Number(member.run);
      this.#sums.add(run, 'tool', { name: Number(member.name), cost });
      if (member.mcp_server !== null) this.#sums.add(run, 'mcp-server', { name: Number(member.mcp_server), cost });
    }
  }

  /** A call comes before the agent that made it; until then it goes by the name that it brought itself. */
  #name(members: readonly Member[], agent: number): void {
    for (const member of members) {
      if (member.agent === BigInt(agent)) continue;
      this.#rename.run(agent, member.id);
      if (member.kind !== BigInt(LLM)) continue;
      const run = Number(member.run);
      if (member.agent !== null) this.#sums.add(run, 'subagent', { ...weight(member, -1), name: Number(member.agent) });
      this.#sums.add(run, 'subagent', { ...weight(member, 1), name: agent });
    }
  }
}

/** Each tool call's share, in 1e-9 USD; a call's remainder goes to the tool call that began first. */
function sharesOf(members: readonly Member[]): Map<Member, bigint> {
  const shares = new Map<Member, bigint>();
  const isCall = (member: Member): boolean => member.kind === BigInt(LLM);
  let waiting = members.filter((member) => !isCall(member));
  for (const call of members) {
    if (!isCall(call) || call.carries === 0n) continue;
    const carried = waiting.filter((tool) => tool.ended_at <= call.started_at);
    if (carried.length === 0) continue;
    waiting = waiting.filter((tool) => tool.ended_at > call.started_at);
    if (call.cost === null) continue;
    const share = call.cost / BigInt(carried.length);
    const rest = call.cost - share * BigInt(carried.length);
    for (const [index, tool] of carried.entries()) shares.set(tool, index === 0 ? share + rest : share);
  }
  return shares;
}

function weight(member: Member, sign: 1 | -1): Parameters<Sums['add']>[2] {
  const number = (value: bigint | null): number => sign * Number(value ?? 0n);
  return {
    name: 0,
    calls: sign,
    errors: member.status === 1n ? sign : 0,
    figures: {
      inputTokens: number(member.input_tokens),
      outputTokens: number(member.output_tokens),
      cacheReadTokens: number(member.cache_read_tokens),
      cacheWriteTokens: number(member.cache_write_tokens),
      costNanoUsd: number(member.cost),
    },
  };
}
