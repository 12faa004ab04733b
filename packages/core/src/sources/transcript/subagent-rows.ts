import { given } from '../../model/given.ts';
import type { Emit } from '../sdk/envelope.ts';
import { readBlocks } from '../sdk/content.ts';
import { fieldsOf, stringIn } from '../sdk/guards.ts';
import { readAssistantRow } from './read-assistant-row.ts';
import { readRequest, readSystemRow } from './read-system-row.ts';
import { readInput } from './read-user-row.ts';
import type { Row } from './row.ts';
import { isUnfinished, type Speaker, speaker } from './speaker.ts';
import type { TimedRow } from './timed-row.ts';

/** What is known of a subagent beside its rows: the `.meta.json` beside its file has it. */
export interface Subagent {
  readonly agentId: string;
  readonly agentName?: string;
  /** The call that asked for it. */
  readonly toolCallId?: string;
  readonly inBackground?: boolean;
}

interface Known extends Subagent {
  readonly turn: number;
}

interface Begun {
  readonly speaker: Speaker;
  readonly agentId: string;
  /** The rest of what links it to its call is not known before that call has a result. */
  isPlaced: boolean;
  isOver: boolean;
}

/** The subagents of one session, each by its id. */
export class SubagentRows {
  readonly #emit: Emit;
  readonly #begun: Map<string, Begun> = new Map();

  constructor(emit: Emit) {
    this.#emit = emit;
  }

  /** How many have begun and not ended. */
  get openCount(): number {
    let count = 0;
    for (const { isOver } of this.#begun.values()) if (!isOver) count += 1;
    return count;
  }

  read(type: Row['type'], row: TimedRow, known: Known): void {
    const { speaker: by } = this.#begun.get(known.agentId) ?? this.#begin(row, known);
    if (row.at > by.lastAt) by.lastAt = row.at;
    if (type === 'assistant') readAssistantRow(row, by, this.#emit);
    else if (type === 'user') {
      this.resultOf(row);
      readInput(row, by, this.#emit);
    } else if (type === 'system') readSystemRow(row, by, this.#emit);
    else if (type === 'api-request') readRequest(row, by, this.#emit);
  }

  /** The result of the call that asked for a subagent names both. */
  resultOf({ fields, id, at }: TimedRow): void {
    const agentId = stringIn(fieldsOf(fields['toolUseResult']), 'agentId');
    const begun = agentId === undefined ? undefined : this.#begun.get(agentId);
    if (agentId === undefined || begun === undefined || begun.isPlaced) return;
    const block = readBlocks(fieldsOf(fields['message'])?.['content'])[0];
    if (block?.type !== 'tool_result') return;
    begun.isPlaced = true;
    const agentName = stringIn(fieldsOf(fields['toolUseResult']), 'agentType');
    const toolCallId = block.toolUseId;
    this.#emit({
      type: 'task-start',
      id: `${id}:task`,
      source: 'transcript',
      at,
      agentId,
      toolCallId,
      ...given('agentName', agentName),
    });
    if (begun.isOver) this.#begun.delete(agentId);
  }

  end(agentId: string): void {
    const begun = this.#begun.get(agentId);
    if (begun === undefined || begun.isOver) return;
    const { speaker: by } = begun;
    begun.isOver = true;
    if (begun.isPlaced) this.#begun.delete(agentId);
    this.#emit({
      type: 'task-end',
      id: `end:${agentId}`,
      source: 'transcript',
      at: by.lastAt,
      agentId,
      outcome: by.failure !== undefined ? 'failed' : isUnfinished(by) || by.wasInterrupted ? 'stopped' : 'completed',
    });
  }

  endAll(): void {
    for (const agentId of [...this.#begun.keys()]) this.end(agentId);
  }

  /** The process that they ran in is gone, and with it whatever they had not been placed under. */
  forgetTurns(): void {
    this.endAll();
    this.#begun.clear();
  }

  #begin(row: TimedRow, { turn, agentId, agentName, toolCallId, inBackground }: Known): Begun {
    const name = agentName ?? stringIn(row.fields, 'attributionAgent');
    const begun: Begun = {
      speaker: speaker({ turn, agentId, ...given('toolCallId', toolCallId) }, turn, row.at),
      agentId,
      isPlaced: toolCallId !== undefined,
      isOver: false,
    };
    this.#begun.set(agentId, begun);
    this.#emit({
      type: 'task-start',
      id: `start:${agentId}`,
      source: 'transcript',
      at: row.at,
      agentId,
      ...given('toolCallId', toolCallId),
      ...given('agentName', name),
      ...(inBackground === true ? { inBackground } : {}),
    });
    return begun;
  }
}
