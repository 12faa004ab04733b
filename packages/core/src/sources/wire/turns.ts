import type { WireExchange } from '../../loopback/wire/wire-exchange.ts';
import { given } from '../../model/given.ts';
import type { ContentBlock, Message } from '../../model/message.ts';
import type { AgentRef, CallPassed, Observation, TurnResult, TurnStarted } from '../../model/observation.ts';
import type { UnixNano } from '../../model/time.ts';
import { fieldsOf, stringIn } from '../sdk/guards.ts';

/** What calls a subagent: its name today, and of older CLIs. */
const LAUNCHERS: ReadonlySet<string> = new Set(['Agent', 'Task']);

/** After these the CLI asks again of its own accord: the turn goes on. */
const GOES_ON: ReadonlySet<string> = new Set(['tool_use', 'max_tokens', 'pause_turn', 'refusal']);

const STOP_HOOK = 'Stop hook feedback';
const NOTIFICATION = '<task-notification>';
const AGENT_ID = /agentId: (\w+)/;

interface Launch {
  readonly toolCallId: string;
  readonly prompt: string;
  readonly agentName: string | undefined;
  isTaken: boolean;
}

interface Last {
  readonly passed: CallPassed;
  readonly status: number | undefined;
}

/** Where only the wire is seen: reads turns, subagents and tools off the requests. */
export class TurnsOfWire {
  readonly #observe: (observation: Observation) => void;
  readonly #launches: Launch[] = [];
  readonly #agents: Set<string> = new Set();
  readonly #endedAgents: Set<string> = new Set();
  readonly #failed: Map<string, { readonly exchange: WireExchange; readonly passed: CallPassed }> = new Map();
  #turn = -1;
  /** The latest call of the main loop. */
  #last: Last | undefined;
  #ends = 0;

  constructor(observe: (observation: Observation) => void) {
    this.#observe = observe;
  }

  /** What failed may be asked again: then it was an attempt, and is not told of. */
  take(exchange: WireExchange, passed: CallPassed): void {
    const row = `${exchange.agentId ?? ''}/${passed.purpose}`;
    const failed = this.#failed.get(row);
    this.#failed.delete(row);
    if (failed !== undefined && passed.replaces.length === 0) this.#tell(failed.exchange, failed.passed);
    if (passed.error !== undefined || passed.wasCut) this.#failed.set(row, { exchange, passed });
    else this.#tell(exchange, passed);
  }

  #tell(exchange: WireExchange, passed: CallPassed): void {
    this.#before(exchange, passed);
    this.#observe({ ...passed, replaces: [] });
    // It belongs to no turn, in the CLI's own tracing either.
    if (passed.purpose !== 'validation') this.#after(exchange, passed);
  }

  /** Who asks, and what ended before he did. */
  #before(exchange: WireExchange, passed: CallPassed): void {
    const { agentId } = exchange;
    if (agentId === undefined) this.#turnOf(exchange, passed);
    else if (!this.#agents.has(agentId)) this.#begin(agentId, exchange, passed);
    this.#results(passed, this.#agentOf(exchange));
  }

  /** What was answered. */
  #after(exchange: WireExchange, passed: CallPassed): void {
    const agent = this.#agentOf(exchange);
    const { call, at, responseModel, model = 'unknown', usage, stopReason, wasCut, output, error } = passed;
    const seen = { id: `${passed.id}:answer`, source: 'wire', at, agent, call } as const;
    if (error !== undefined) this.#observe({ ...seen, type: 'call-failed', model, error });
    else {
      this.#observe({
        ...seen,
        type: 'answer',
        model: responseModel ?? model,
        blocks: output,
        ...given('usage', usage),
        ...given('stopReason', stopReason),
        ...(wasCut ? { wasCut } : {}),
      });
    }
    for (const block of output) if (block.type === 'tool_use' && LAUNCHERS.has(block.name)) this.#launched(block);
    if (exchange.agentId !== undefined) this.#endIfDone(exchange.agentId, passed);
    else if (passed.purpose === 'turn' || passed.purpose === 'compaction')
      this.#last = { passed, status: exchange.status };
  }

  end(): void {
    for (const { exchange, passed } of this.#failed.values()) this.#tell(exchange, passed);
    this.#failed.clear();
    this.#endTurn();
  }

  #agentOf({ agentId }: WireExchange): AgentRef {
    return agentId === undefined ? { turn: Math.max(this.#turn, 0) } : { agentId };
  }

  #turnOf(exchange: WireExchange, passed: CallPassed): void {
    const isNew = passed.purpose !== 'validation' && (this.#turn === -1 || this.#beginsTurn(exchange, passed));
    if (!isNew) return;
    this.#endTurn();
    this.#turn += 1;
    const prompt = promptOf(passed.input);
    const trigger = isNotice(passed.input)
      ? 'task_notification'
      : passed.purpose === 'compaction'
        ? 'command'
        : 'prompt';
    const started: TurnStarted = {
      type: 'turn-start',
      id: `wire:turn:${this.#turn}`,
      source: 'wire',
      at: passed.startedAt,
      turn: this.#turn,
      trigger,
      ...given('prompt', trigger === 'prompt' ? prompt?.message : undefined),
    };
    this.#observe(started);
  }

  #beginsTurn({ request }: WireExchange, { input, purpose }: CallPassed): boolean {
    if (this.#last === undefined || request.isRepeated || (purpose !== 'turn' && purpose !== 'compaction'))
      return false;
    const { stopReason, error, wasCut } = this.#last.passed;
    const goesOn = error === undefined && !wasCut && GOES_ON.has(stopReason ?? 'tool_use');
    if (goesOn) return false;
    // Asked for while nothing ran; within a turn the CLI compacts of its own accord.
    if (purpose === 'compaction' || isNotice(input)) return true;
    const text = promptOf(input)?.text;
    return text !== undefined && !text.startsWith(STOP_HOOK);
  }

  #begin(agentId: string, exchange: WireExchange, { input, startedAt }: CallPassed): void {
    this.#agents.add(agentId);
    const text = input.flatMap(({ content }) => content.map(textOf)).join('\n');
    const launch = this.#launches.find(({ isTaken, prompt }) => !isTaken && text.includes(prompt));
    if (launch !== undefined) launch.isTaken = true;
    this.#observe({
      type: 'task-start',
      id: `wire:agent:${agentId}`,
      source: 'wire',
      at: startedAt,
      agentId,
      ...given('toolCallId', launch?.toolCallId),
      ...given('agentName', launch?.agentName),
      ...given('parentAgentId', exchange.parentAgentId),
    });
  }

  #results({ input, startedAt: at }: CallPassed, agent: AgentRef): void {
    for (const block of input.flatMap(({ content }) => content)) {
      if (block.type !== 'tool_result') continue;
      const { toolUseId: toolCallId, content: output, isError } = block;
      this.#launchedInBackground(toolCallId, output, at);
      this.#observe({
        type: 'tool-result',
        id: `wire:result:${toolCallId}`,
        source: 'wire',
        at,
        agent,
        toolCallId,
        output,
        isError,
      });
    }
  }

  /** What was only launched says so, with the id of who goes on. */
  #launchedInBackground(toolCallId: string, output: unknown, at: UnixNano): void {
    const launch = this.#launches.find((one) => one.toolCallId === toolCallId);
    const [, agentId] = (launch === undefined ? null : AGENT_ID.exec(JSON.stringify(output))) ?? [];
    if (launch === undefined || agentId === undefined || this.#endedAgents.has(agentId)) return;
    launch.isTaken = true;
    this.#agents.add(agentId);
    this.#observe({
      type: 'task-start',
      id: `wire:background:${agentId}`,
      source: 'wire',
      at,
      agentId,
      toolCallId,
      inBackground: true,
      ...given('agentName', launch.agentName),
    });
  }

  #launched({ id, input }: ContentBlock & { readonly type: 'tool_use' }): void {
    const fields = fieldsOf(input);
    const prompt = stringIn(fields, 'prompt');
    if (prompt === undefined) return;
    this.#launches.push({ toolCallId: id, prompt, agentName: stringIn(fields, 'subagent_type'), isTaken: false });
  }

  #endIfDone(agentId: string, { stopReason, at, id }: CallPassed): void {
    if (stopReason === undefined || GOES_ON.has(stopReason)) return;
    this.#endedAgents.add(agentId);
    this.#observe({ type: 'task-end', id: `${id}:end`, source: 'wire', at, agentId, outcome: 'completed' });
  }

  /** An answer that asks for more, or that broke off, ends nothing: then nobody knows how the turn went on. */
  #endTurn(): void {
    const last = this.#last;
    this.#last = undefined;
    if (last === undefined || last.passed.wasCut) return;
    const { error, stopReason, endedAt } = last.passed;
    if (error === undefined && (stopReason === undefined || stopReason === 'tool_use')) return;
    this.#ends += 1;
    this.#observe(resultOf(last, { turn: this.#turn, at: endedAt, number: this.#ends }));
  }
}

function resultOf(
  { passed, status }: Last,
  end: { readonly turn: number; readonly at: UnixNano; readonly number: number },
): TurnResult {
  const { error, stopReason } = passed;
  return {
    type: 'turn-result',
    id: `wire:end:${end.number}`,
    source: 'wire',
    at: end.at,
    turn: end.turn,
    subtype: 'success',
    isError: error !== undefined || stopReason === 'refusal',
    permissionDenials: 0,
    ...given('stopReason', stopReason),
    ...(error === undefined ? {} : { terminalReason: 'api_error', errorMessage: error.message }),
    ...given('apiErrorStatus', error === undefined ? undefined : status),
  };
}

const REMINDER = '<system-reminder>';

/** What the user said: the last words that are no reminder of the CLI's, where no tool reports. */
function promptOf(input: readonly Message[]): { readonly message: Message; readonly text: string } | undefined {
  const last = input.findLast(({ role }) => role === 'user');
  if (last === undefined || last.content.some(({ type }) => type === 'tool_result')) return undefined;
  const content = last.content.filter((block) => !textOf(block).startsWith(REMINDER));
  const text = content.map(textOf).join('\n');
  return content.length === 0 ? undefined : { message: { role: 'user', content }, text };
}

/** A background task has ended; the notice stands among the reminders. */
function isNotice(input: readonly Message[]): boolean {
  const last = input.findLast(({ role }) => role === 'user');
  if (last === undefined || last.content.some(({ type }) => type === 'tool_result')) return false;
  return last.content.some((block) => textOf(block).includes(NOTIFICATION));
}

function textOf(block: ContentBlock): string {
  return block.type === 'text' ? block.text : '';
}
