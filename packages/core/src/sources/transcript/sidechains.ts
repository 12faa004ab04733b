import { readBlocks } from '../sdk/content.ts';
import { fieldsOf, stringIn } from '../sdk/guards.ts';
import type { Row } from './row.ts';
import type { SubagentRows } from './subagent-rows.ts';
import type { TimedRow } from './timed-row.ts';

/** Calls that may have asked for a subagent whose rows have not come, and rows of those that have: a session has few at a time. */
const MOST_CALLS = 256;
const MOST_ROWS = 4096;
const TASK_TOOLS: ReadonlySet<string> = new Set(['Task', 'Agent']);

interface Call {
  readonly toolCallId: string;
  readonly prompt: string;
  readonly agentName: string | undefined;
}

interface Chain {
  readonly agentId: string;
  readonly call: Call | undefined;
  readonly turn: number;
}

/** Subagents of old versions, which stand in the session's own file: rows without an id of their agent, each naming the row before it. */
export class Sidechains {
  readonly #subagents: SubagentRows;
  readonly #calls: Map<string, Call> = new Map();
  readonly #chainOf: Map<string, Chain> = new Map();

  constructor(subagents: SubagentRows) {
    this.#subagents = subagents;
  }

  /** Notes who was asked for: the prompt is all that such a call has in common with the rows of its subagent. */
  asked({ fields }: TimedRow): void {
    for (const block of readBlocks(fieldsOf(fields['message'])?.['content'])) {
      if (block.type !== 'tool_use' || !TASK_TOOLS.has(block.name)) continue;
      const input = fieldsOf(block.input);
      const prompt = stringIn(input, 'prompt');
      if (prompt === undefined) continue;
      this.#calls.set(block.id, { toolCallId: block.id, prompt, agentName: stringIn(input, 'subagent_type') });
      forgetOldest(this.#calls, MOST_CALLS);
    }
  }

  read(type: Row['type'], row: TimedRow, turn: number): void {
    const chain = this.#chain(row, turn);
    this.#chainOf.set(row.id, chain);
    forgetOldest(this.#chainOf, MOST_ROWS);
    const { agentId, call } = chain;
    this.#subagents.read(type, row, {
      agentId,
      turn: chain.turn,
      ...(call === undefined ? {} : { toolCallId: call.toolCallId }),
      ...(call?.agentName === undefined ? {} : { agentName: call.agentName }),
    });
  }

  end(): void {
    this.#calls.clear();
    this.#chainOf.clear();
  }

  #chain(row: TimedRow, turn: number): Chain {
    const named = stringIn(row.fields, 'agentId');
    const before = stringIn(row.fields, 'parentUuid');
    const known = before === undefined ? undefined : this.#chainOf.get(before);
    if (known !== undefined && (named === undefined || named === known.agentId)) return known;
    const call = this.#callFor(row);
    return { agentId: named ?? row.id, call, turn: Math.max(0, turn) };
  }

  #callFor({ fields }: TimedRow): Call | undefined {
    const first = readBlocks(fieldsOf(fields['message'])?.['content'])[0];
    const text = first?.type === 'text' ? first.text : undefined;
    const call = [...this.#calls.values()].find(({ prompt }) => prompt === text);
    if (call !== undefined) this.#calls.delete(call.toolCallId);
    return call;
  }
}

function forgetOldest<V>(map: Map<string, V>, most: number): void {
  if (map.size <= most) return;
  const oldest = map.keys().next().value;
  if (oldest !== undefined) map.delete(oldest);
}
