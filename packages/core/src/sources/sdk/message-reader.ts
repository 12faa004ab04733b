import type { Message } from '../../model/message.ts';
import type { AgentRef } from '../../model/observation.ts';
import type { SourceName } from '../../model/span.ts';
import { type Clock, type UnixNano, unixNanoFromIso } from '../../model/time.ts';
import { readUserMessage } from './content.ts';
import { given } from '../../model/given.ts';
import type { Emit, Envelope } from './envelope.ts';
import { type Fields, fieldsOf, stringIn, stringOf, stringsIn } from './guards.ts';
import { readAssistant } from './read-assistant.ts';
import { readResult } from './read-result.ts';
import { isLandmark, readStreamEvent } from './read-stream-event.ts';
import { readSystem } from './read-system.ts';
import { readToolProgress, readUser } from './read-user.ts';

export interface MessageReaderOptions {
  readonly observe: Emit;
  readonly clock: Clock;
  /** Hook executions are taken from the stream only where the CLI's telemetry does not tell of them. */
  readonly readHooks: boolean;
}

interface Prompt {
  readonly at: UnixNano;
  readonly id: string | undefined;
  readonly message: Message | undefined;
}

/** Turns the SDK's messages, in the order in which the consumer reads them, into observations. */
export class MessageReader {
  readonly #options: MessageReaderOptions;
  readonly #queued: Prompt[] = [];
  readonly #openTasks: Set<string> = new Set();
  #turn = -1;
  #mainLoop: AgentRef = { turn: 0 };
  #isTurnOpen = false;
  /** The main loop's latest words ask for nothing more. */
  #hasAnswered = false;
  /** Turns that are over but for their results, which the SDK holds back while background tasks wake the session one after the other. */
  readonly #overdue: number[] = [];
  #wasPromptBlocked = false;
  #unnamed = 0;

  constructor(options: MessageReaderOptions) {
    this.#options = options;
  }

  get turn(): number {
    return Math.max(0, this.#turn);
  }

  /** The prompt that was given to `query()` itself. */
  promptGiven(text: string): void {
    this.#openTurn({
      at: this.#options.clock.now(),
      id: undefined,
      message: { role: 'user', content: [{ type: 'text', text }] },
    });
  }

  /** A message that the SDK has just taken from the user's iterable. */
  promptTaken(value: unknown): void {
    const prompt = {
      at: this.#options.clock.now(),
      id: stringIn(fieldsOf(value), 'uuid'),
      message: readUserMessage(value),
    };
    if (this.#isTurnOpen) this.#queued.push(prompt);
    else this.#openTurn(prompt);
  }

  /** The CLI says that a prompt joined a running turn: it is the one that has waited longest, if none was sent too late for that. */
  promptSteered({ turn, at }: { readonly turn: number; readonly at: UnixNano }): void {
    const prompt = this.#queued[0];
    if (prompt?.message === undefined || prompt.at > at) return;
    this.#queued.shift();
    this.#unnamed += 1;
    const id = `sdk:steer:${this.#unnamed}`;
    this.#options.observe({ type: 'turn-start', id, source: 'sdk', at: prompt.at, turn, prompt: prompt.message });
  }

  read(value: unknown): void {
    const message = fieldsOf(value);
    if (message === undefined) return;
    switch (message['type']) {
      case 'assistant':
        readAssistant(this.#main(message), this.#options.observe);
        if (!isOfSubagent(message)) this.#hasAnswered = !asksForTools(message);
        return;
      case 'user':
        readUser(this.#envelope(message), this.#options.observe);
        return;
      case 'stream_event':
        // Nearly all of them are deltas of content, which say nothing to us.
        if (isLandmark(message)) readStreamEvent(this.#main(message), this.#options.observe);
        return;
      case 'tool_progress':
        readToolProgress(this.#envelope(message), this.#options.observe);
        return;
      case 'result':
        this.#result(message);
        return;
      case 'system':
        this.#system(message);
    }
  }

  #system(message: Fields): void {
    if (message['subtype'] === 'init') {
      if (this.#isTurnOpen && this.#hasAnswered) this.#overdue.push(this.#turn);
      if (!this.#isTurnOpen || this.#hasAnswered)
        this.#openTurn(...this.#nextPrompts(stringsIn(message, 'user_message_uuids')));
    }
    if (fieldsOf(message['prompt_submit_outcome'])?.['kind'] === 'blocked_by_hook') this.#wasPromptBlocked = true;
    readSystem(this.#envelope(message), {
      observe: this.#options.observe,
      readHooks: this.#options.readHooks,
      openTasks: this.#openTasks,
    });
  }

  #result(message: Fields): void {
    if (!this.#isTurnOpen) this.#openTurn(...this.#nextPrompts(undefined));
    const overdue = this.#overdue.shift();
    const envelope = this.#envelope(message);
    readResult(overdue === undefined ? envelope : { ...envelope, turn: overdue, agent: { turn: overdue } }, {
      observe: this.#options.observe,
      wasPromptBlocked: this.#wasPromptBlocked,
    });
    if (overdue === undefined) this.#isTurnOpen = false;
    this.#wasPromptBlocked = false;
  }

  /** The main loop cannot speak outside of a turn. */
  #main(message: Fields): Envelope {
    if (!this.#isTurnOpen && !isOfSubagent(message)) this.#openTurn(...this.#nextPrompts(undefined));
    return this.#envelope(message);
  }

  /** The prompts that the turn names; else all that wait: the CLI merges what was sent while it was busy. */
  #nextPrompts(ids: readonly string[] | undefined): Prompt[] {
    const named = ids === undefined ? [] : this.#queued.filter(({ id }) => id !== undefined && ids.includes(id));
    const taken = named.length > 0 ? named : [...this.#queued];
    for (const prompt of taken) this.#queued.splice(this.#queued.indexOf(prompt), 1);
    return taken;
  }

  #openTurn(...prompts: readonly Prompt[]): void {
    this.#turn += 1;
    this.#isTurnOpen = true;
    this.#hasAnswered = false;
    const at = this.#options.clock.now();
    const last = prompts.at(-1);
    const content = prompts.flatMap((prompt) => prompt.message?.content ?? []);
    const source: SourceName = 'sdk';
    this.#options.observe({
      type: 'turn-start',
      id: `sdk:turn:${this.#turn}`,
      source,
      at: this.#turn === 0 ? (prompts[0]?.at ?? at) : at,
      turn: this.#turn,
      // Nobody asked: a background task has ended and woken the session.
      ...given('trigger', last === undefined && this.#turn > 0 ? 'task_notification' : undefined),
      ...given('userMessageId', last?.id),
      ...given('prompt', content.length === 0 ? undefined : ({ role: 'user', content } as const)),
    });
  }

  #envelope(message: Fields): Envelope {
    const { turn } = this;
    if (this.#mainLoop.turn !== turn) this.#mainLoop = { turn };
    return {
      message,
      id: this.#id(message),
      at: this.#at(message),
      agent: subagentRef(message) ?? this.#mainLoop,
      turn,
    };
  }

  #id(message: Fields): string {
    const uuid = stringOf(message['uuid']);
    if (uuid !== undefined) return uuid;
    this.#unnamed += 1;
    return `sdk:${this.#unnamed}`;
  }

  /** The CLI stamps what it stores; the rest has the time at which it was read. */
  #at(message: Fields): UnixNano {
    const timestamp = stringOf(message['timestamp']);
    return (timestamp === undefined ? undefined : unixNanoFromIso(timestamp)) ?? this.#options.clock.now();
  }
}

function isOfSubagent(message: Fields): boolean {
  return typeof message['parent_tool_use_id'] === 'string';
}

function asksForTools(message: Fields): boolean {
  const content = fieldsOf(message['message'])?.['content'];
  return Array.isArray(content) && content.some(isToolUse);
}

function isToolUse(block: unknown): boolean {
  return fieldsOf(block)?.['type'] === 'tool_use';
}

function subagentRef(message: Fields): AgentRef | undefined {
  const toolCallId = stringOf(message['parent_tool_use_id']);
  const agentId = stringOf(message['agent_id']);
  if (toolCallId === undefined && agentId === undefined) return undefined;
  return { ...given('toolCallId', toolCallId), ...given('agentId', agentId) };
}
