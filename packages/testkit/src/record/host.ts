import { EventEmitter, once } from 'node:events';
import { type Options, query, type SDKMessage, type SDKUserMessage } from '@anthropic-ai/claude-agent-sdk';
import type { JsonObject } from '../json.ts';
import type { QueryRun, RecordScript } from './script.ts';

/** What the host did and saw. Times in milliseconds of the recording's clock. */
export interface HostLog {
  readonly messages: readonly JsonObject[];
  readonly driverEvents: readonly JsonObject[];
}

export interface HostOptions {
  /** Of every query. */
  readonly options: Options;
  readonly now: () => number;
}

const ITERABLE = '(async iterable)';

/** Runs the queries of a script, one after the other. */
export async function runHost(script: RecordScript, { options, now }: HostOptions): Promise<HostLog> {
  const log = { messages: [] as JsonObject[], driverEvents: [] as JsonObject[] };
  const sessions: string[] = [];
  for (const run of script.queries) {
    const label = run.label === undefined ? {} : { label: run.label };
    const note = (ev: string, fields: JsonObject = {}): void => {
      log.driverEvents.push({ t_ms: now(), ev, ...label, ...fields });
    };
    const own = { ...options, ...run.options?.(sessions) };
    note('query()', { prompt: typeof run.prompt === 'string' ? run.prompt : ITERABLE });
    await consume(run, {
      options: own,
      note,
      keep: (message) => {
        const named = run.label === undefined ? {} : { query: run.label };
        log.messages.push({ t_ms: now(), ...named, message: structuredClone(message) });
        if (message.type === 'result') sessions.push(message.session_id);
      },
    });
  }
  return log;
}

interface Consuming {
  readonly options: Options;
  readonly note: (ev: string, fields?: JsonObject) => void;
  readonly keep: (message: SDKMessage) => void;
}

async function consume(run: QueryRun, { options, note, keep }: Consuming): Promise<void> {
  const turns = new EventEmitter();
  const prompts = new PromptQueue(run);
  const running = query({ prompt: typeof run.prompt === 'string' ? run.prompt : prompts.stream(turns), options });
  let isInterrupted = false;
  try {
    for await (const message of running) {
      keep(message);
      prompts.steer(message);
      if (!isInterrupted && run.interruptAfter?.(message) === true) {
        isInterrupted = true;
        note('interrupt()');
        void running.interrupt();
      }
      if (message.type === 'result') turns.emit('end');
    }
    note('iterator done');
  } catch (error) {
    note('iterator threw', { message: error instanceof Error ? error.message : String(error) });
  }
}

class PromptQueue {
  readonly #run: QueryRun;
  #steering: SDKUserMessage | undefined;

  constructor(run: QueryRun) {
    this.#run = run;
  }

  /** The prompt for the middle of a turn, once its moment has come. */
  steer(message: SDKMessage): void {
    const { steering } = this.#run;
    if (steering?.after(message) !== true || this.#steering !== undefined) return;
    this.#steering = userMessage(steering.text);
    this.#steered?.(this.#steering);
  }

  #steered: ((message: SDKUserMessage) => void) | undefined;

  async *stream(turns: EventEmitter): AsyncGenerator<SDKUserMessage> {
    const steered = new Promise<SDKUserMessage>((resolve) => {
      this.#steered = resolve;
    });
    for (const [index, prompt] of [...this.#run.prompt].entries()) {
      const ended = once(turns, 'end');
      yield userMessage(prompt);
      if (index === 0 && this.#run.steering !== undefined) yield await steered;
      await ended;
    }
  }
}

function userMessage(content: string): SDKUserMessage {
  return { type: 'user', parent_tool_use_id: null, message: { role: 'user', content } };
}
