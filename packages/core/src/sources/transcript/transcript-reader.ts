import { given } from '../../model/given.ts';
import type { Message } from '../../model/message.ts';
import type { Observation } from '../../model/observation.ts';
import type { SpanEvent } from '../../model/span.ts';
import type { UnixNano } from '../../model/time.ts';
import { readBlocks } from '../sdk/content.ts';
import { fieldsOf, numberIn, stringIn } from '../sdk/guards.ts';
import { type Baseline, CostStates } from './cost-states.ts';
import { endOfTurn } from './end-of-turn.ts';
import { readAssistantRow } from './read-assistant-row.ts';
import { compactionOf, readRequest, readSystemRow } from './read-system-row.ts';
import { kindOfUserRow, readInput, turnIndexOf } from './read-user-row.ts';
import type { Row } from './row.ts';
import { SessionFacts } from './session-facts.ts';
import { Sidechains } from './sidechains.ts';
import { type Speaker, speaker } from './speaker.ts';
import { type Subagent, SubagentRows } from './subagent-rows.ts';
import type { TimedRow } from './timed-row.ts';

export interface TranscriptReaderOptions {
  /**
   * Takes what the rows tell, in order. A `query-end` is the end of the process that wrote the rows before it: what follows is of
   * another, and its turns are counted from 0 again.
   */
  readonly observe: (observation: Observation) => void;
  /** What a fork's sums began with. Default: unknown, and with it what the fork itself has used. */
  readonly baseline?: Baseline;
  /** False passes over commands that the CLI answers itself (`/cost`, `/exit`). Default: they are turns, as they are to telemetry. */
  readonly hasLocalTurns?: boolean;
}

type TurnTrigger = 'prompt' | 'command' | 'task_notification';

/** Reads the rows of one session, in the order of their times, into observations. Never throws on foreign rows. */
export class TranscriptReader {
  readonly #emit: (observation: Observation) => void;
  readonly #subagents: SubagentRows;
  readonly #sidechains: Sidechains;
  readonly #facts: SessionFacts = new SessionFacts();
  readonly #costs: CostStates;
  #turn = -1;
  #main: Speaker | undefined;
  #turnIndex: number | undefined;
  #isCommand = false;
  #isBlocked = false;
  #maxTurns = false;
  readonly #hasLocalTurns: boolean;
  #local: TimedRow | undefined;
  /** The row at hand is the CLI's own business. */
  #isAside = false;
  #compaction: { readonly id: string; readonly event: SpanEvent } | undefined;
  #lastAt: UnixNano = 0n;

  constructor({ observe, baseline, hasLocalTurns = true }: TranscriptReaderOptions) {
    this.#emit = observe;
    this.#hasLocalTurns = hasLocalTurns;
    this.#costs = new CostStates(baseline);
    this.#subagents = new SubagentRows(observe);
    this.#sidechains = new Sidechains(this.#subagents);
  }

  /** The session that the rows belong to, as far as they have told. */
  get facts(): Readonly<SessionFacts> {
    return this.#facts;
  }

  /** A row of the session's own file. */
  read(row: Row): void {
    this.#facts.read(row.fields);
    if (row.type === 'cost-state') {
      this.#costs.read(row.fields);
      return;
    }
    if (row.at === undefined) return;
    const timed = { fields: row.fields, id: row.uuid ?? `${this.#facts.sessionId ?? ''}:${row.line}`, at: row.at };
    if (row.fields['isSidechain'] === true) {
      this.#sidechains.read(row.type, timed, this.#turn);
      return;
    }
    this.#isAside = false;
    this.#readMain(row.type, timed);
    if (this.#main !== undefined && !this.#isAside && row.at > this.#main.lastAt) this.#main.lastAt = row.at;
    if (row.at > this.#lastAt) this.#lastAt = row.at;
  }

  /** A row of the file of one of its subagents. */
  readSubagent(row: Row, subagent: Subagent): void {
    if (row.at === undefined) return;
    const timed = { fields: row.fields, id: row.uuid ?? `${subagent.agentId}:${row.line}`, at: row.at };
    this.#subagents.read(row.type, timed, { ...subagent, turn: Math.max(0, this.#turn) });
  }

  /** There is nothing more in the file of that subagent. */
  endSubagent(agentId: string): void {
    this.#subagents.end(agentId);
  }

  /** There are no more rows. */
  end(): void {
    this.#sidechains.end();
    this.#subagents.endAll();
    this.#endProcess();
  }

  #readMain(type: Row['type'], row: TimedRow): void {
    switch (type) {
      case 'user':
        this.#user(row);
        return;
      case 'assistant':
        readAssistantRow(row, this.#open(row), this.#emit);
        this.#copied(row);
        this.#sidechains.asked(row);
        return;
      case 'system':
        this.#system(row);
        return;
      case 'attachment':
        this.#attachment(row);
        return;
      case 'api-request':
        if (this.#main !== undefined) readRequest(row, this.#main, this.#emit);
        return;
      case 'cost-state':
    }
  }

  #copied({ fields, id }: TimedRow): void {
    const sessionId = stringIn(fields, 'requestSessionId');
    if (sessionId !== undefined) this.#costs.sawCopy({ sessionId, rowId: id });
  }

  #user(row: TimedRow): void {
    const content = readBlocks(fieldsOf(row.fields['message'])?.['content']);
    const kind = kindOfUserRow(row.fields, content);
    switch (kind) {
      case 'prompt':
      case 'command':
      case 'task_notification':
        if (this.#joins(row)) this.#tellTurn(row, kind, { role: 'user', content });
        else this.#startTurn(row, kind, { role: 'user', content });
        return;
      case 'local':
        this.#isAside = true;
        this.#local = row;
        if (this.#compaction !== undefined) this.#startLocal();
        return;
      case 'interrupt':
        this.#interrupt(row);
        return;
      case 'result':
        this.#subagents.resultOf(row);
        readInput(row, this.#open(row), this.#emit);
        return;
      case 'input':
        if (this.#main !== undefined) readInput(row, this.#main, this.#emit);
        return;
      case 'none':
        this.#isAside = true;
    }
  }

  /** Sent while the agent was busy, it joined the running turn. */
  #joins({ fields }: TimedRow): boolean {
    const index = turnIndexOf(fields);
    return this.#main !== undefined && index !== undefined && index === this.#turnIndex;
  }

  #interrupt({ id, at }: TimedRow): void {
    if (this.#main === undefined) return;
    this.#main.wasInterrupted = true;
    this.#main.isAsking = false;
    // Who says no to a tool may mean the whole turn: that is a denial.
    if (!this.#main.wasDenied) this.#emit({ type: 'query-end', id, source: 'transcript', at, by: 'interrupt' });
  }

  #system(row: TimedRow): void {
    const subtype = stringIn(row.fields, 'subtype');
    if (subtype === 'compact_boundary') this.#compacted(row);
    else if (subtype === 'local_command') this.#startLocal();
    else if (isBlocked(row)) {
      this.#startTurn(row, 'prompt', undefined);
      this.#isBlocked = true;
    } else if (this.#main !== undefined) readSystemRow(row, this.#main, this.#emit);
  }

  /** One that was asked for is told of before the command that asked for it. */
  #compacted(row: TimedRow): void {
    const event = compactionOf(row);
    if (event.attributes['trigger'] === 'manual' || this.#main === undefined) this.#compaction = { id: row.id, event };
    else this.#tellEvent(row.id, event);
  }

  #tellEvent(id: string, event: SpanEvent): void {
    const agent = { turn: this.#turn };
    this.#emit({ type: 'event', id, source: 'transcript', at: event.at, agent, event });
  }

  #attachment(row: TimedRow): void {
    const attachment = fieldsOf(row.fields['attachment']) ?? {};
    switch (attachment['type']) {
      case 'max_turns_reached':
        this.#maxTurns = true;
        return;
      case 'budget_usd':
        this.#costs.budgetUsd = numberIn(attachment, 'total');
        return;
      case 'model':
        if (this.#facts.readModel(attachment)) this.#tellSession(row);
        return;
      case 'hook_stopped_continuation':
        if (this.#main !== undefined) this.#main.isStopped = true;
        return;
      case 'queued_command':
        this.#queued(row, { role: 'user', content: readBlocks(attachment['prompt']) });
    }
  }

  /** Handed to the agent while it was busy: by the user, or because a task in the background has ended. */
  #queued(row: TimedRow, message: Message): void {
    const [first] = message.content;
    if (this.#main === undefined || first === undefined) return;
    const isNotice = first.type === 'text' && first.text.startsWith('<task-notification>');
    if (!isNotice) this.#tellTurn(row, 'prompt', message);
    else this.#emit({ type: 'input', id: row.id, source: 'transcript', at: row.at, agent: this.#main.ref, message });
  }

  /** The main loop cannot speak outside of a turn. */
  #open(row: TimedRow): Speaker {
    if (this.#main === undefined) this.#startTurn(row, 'prompt', undefined);
    return this.#main ?? speaker({ turn: this.#turn }, this.#turn, row.at);
  }

  #startLocal(): void {
    const row = this.#local;
    this.#local = undefined;
    if (row === undefined) return;
    if (this.#hasLocalTurns || this.#compaction !== undefined) this.#startLocalTurn(row);
    else this.#isAside = true;
  }

  #startLocalTurn(row: TimedRow): void {
    const content = readBlocks(fieldsOf(row.fields['message'])?.['content']);
    this.#startTurn(row, 'command', content.length === 0 ? undefined : { role: 'user', content });
  }

  #startTurn(row: TimedRow, trigger: TurnTrigger, prompt: Message | undefined): void {
    this.#closeTurn();
    this.#local = undefined;
    this.#turn += 1;
    this.#turnIndex = turnIndexOf(row.fields);
    this.#main = speaker({ turn: this.#turn }, this.#turn, row.at);
    this.#isCommand = trigger === 'command';
    this.#tellTurn(row, trigger, prompt);
    this.#tellSession(row);
    if (this.#compaction === undefined) return;
    this.#tellEvent(this.#compaction.id, this.#compaction.event);
    this.#compaction = undefined;
  }

  #tellTurn({ id, at }: TimedRow, trigger: TurnTrigger, prompt: Message | undefined): void {
    this.#emit({
      type: 'turn-start',
      id,
      source: 'transcript',
      at,
      turn: this.#turn,
      trigger,
      userMessageId: id,
      ...given('prompt', prompt),
    });
  }

  #tellSession({ id, at }: TimedRow): void {
    const seen = this.#facts.session();
    if (seen !== undefined)
      this.#emit({ type: 'session', id, source: 'transcript', at, turn: Math.max(0, this.#turn), ...seen });
  }

  #closeTurn(): void {
    const main = this.#main;
    if (main === undefined) return;
    const totals = this.#costs.take();
    const end = endOfTurn(main, {
      totals,
      isBlocked: this.#isBlocked,
      isCommand: this.#isCommand,
      reachedMaxTurns: this.#maxTurns,
      isOverBudget: this.#costs.isOverBudget,
      hasExited: this.#costs.hasExited,
    });
    for (const observation of end) this.#emit(observation);
    this.#main = undefined;
    this.#isBlocked = false;
    this.#maxTurns = false;
    const wasCutOff = end.some(({ type }) => type === 'query-end');
    if (wasCutOff) this.#reset();
    else if (this.#costs.hasExited && this.#subagents.openCount === 0) this.#endProcess();
  }

  #endProcess(): void {
    this.#closeTurn();
    if (this.#turn === -1) return;
    const at = this.#lastAt;
    this.#emit({ type: 'query-end', id: `end:${at}`, source: 'transcript', at, by: 'done' });
    this.#reset();
  }

  #reset(): void {
    this.#turn = -1;
    this.#turnIndex = undefined;
    this.#costs.processEnded();
    this.#subagents.forgetTurns();
  }
}

function isBlocked({ fields }: TimedRow): boolean {
  return fieldsOf(fieldsOf(fields['promptSubmitEnding'])?.['ending'])?.['kind'] === 'blocked_by_hook';
}
