import { setTimeout as delay } from 'node:timers/promises';
import { shownMessages } from './shown-messages.ts';
import { asString, type JsonObject } from '../json.ts';
import type { Recording } from '../recordings/recording.ts';
import type { MockSdk } from './mock-sdk.ts';
import type { MockQuery } from './mock-query.ts';

/** What a query gave its consumer. */
export interface Consumed {
  readonly messages: readonly JsonObject[];
  /** What the iterator threw at the end. */
  readonly error?: string;
}

type Namespace = Pick<MockSdk, 'query' | 'startup' | 'prewarm'>;

const ACTS: ReadonlySet<string> = new Set(['interrupt()', 'abort()', 'consumer break']);
const START: ReadonlySet<string> = new Set(['query()', 'startup()', 'prewarm()']);

export interface HostOptions {
  /** Of every query. */
  readonly options: JsonObject;
  /** Length of a recorded millisecond, as in `mockSdk`. Default 0. */
  readonly timeScale?: number;
}

/** Does what the host did when the recording was made: starts its queries, interrupts, aborts and leaves after the same messages. */
export async function hostOf(
  recording: Recording,
  sdk: Namespace,
  { options, timeScale = 0 }: HostOptions,
): Promise<readonly Consumed[]> {
  const labels = [...new Set(recording.messages.map(({ query }) => query))];
  const starts = recording.driverEvents.filter(({ name }) => START.has(name));
  const consumed: Consumed[] = [];
  for (const [index, label] of labels.entries()) {
    const start = starts[index];
    const controller = new AbortController();
    const own = { ...options, abortController: controller };
    const given = asString(start?.fields['prompt']) ?? 'hello';
    const host = new Host({
      recording,
      label,
      timeScale,
      isShown: shownMessages(options),
      abort: () => controller.abort(),
    });
    const prompt = given === '(async iterable)' ? host.prompts() : given;
    consumed.push(await host.consume(await started(sdk, { name: start?.name ?? 'query()', prompt, options: own })));
  }
  return consumed;
}

interface Start {
  readonly name: string;
  readonly prompt: string | AsyncIterable<unknown>;
  readonly options: JsonObject;
}

async function started(sdk: Namespace, { name, prompt, options }: Start): Promise<MockQuery> {
  if (name === 'startup()') return (await sdk.startup({ options })).query(prompt);
  if (name === 'prewarm()') return (await sdk.prewarm({ options })).claim({ prompt, options: {} });
  return sdk.query({ prompt, options });
}

interface PlayedHost {
  readonly recording: Recording;
  readonly label: string | undefined;
  readonly timeScale: number;
  /** Which messages of the recording the host gets to see. */
  readonly isShown: (message: JsonObject) => boolean;
  readonly abort: () => void;
}

class Host {
  readonly #options: PlayedHost;
  /** Names of what the host does after so many shown messages. */
  readonly #acts: readonly { readonly after: number; readonly name: string; readonly waitMs: number }[];
  readonly #prompts: number;
  #results = 0;
  #resultSeen: () => void = () => undefined;

  constructor(options: PlayedHost) {
    this.#options = options;
    const { recording, label } = options;
    const own = recording.messages.filter(({ query, message }) => query === label && options.isShown(message));
    this.#prompts = own.filter(({ message }) => message['type'] === 'result' && message['origin'] === undefined).length;
    this.#acts = recording.driverEvents
      .filter(({ fields }) => asString(fields['label']) === label)
      .map(({ name, atMs }) => {
        const seen = own.filter((message) => message.atMs <= atMs);
        return { name, after: seen.length, waitMs: atMs - (seen.at(-1)?.atMs ?? 0) };
      });
  }

  /** One prompt per turn, each when the turn before has ended; then the input ends. */
  async *prompts(): AsyncGenerator<unknown, void> {
    for (let turn = 0; turn < Math.max(1, this.#prompts); turn += 1) {
      yield { type: 'user', parent_tool_use_id: null, message: { role: 'user', content: `prompt ${turn + 1}` } };
      while (this.#results <= turn) {
        await new Promise<void>((resolve) => {
          this.#resultSeen = resolve;
        });
      }
    }
  }

  async consume(query: MockQuery): Promise<Consumed> {
    const messages: JsonObject[] = [];
    try {
      await this.#act(query, 0);
      for await (const message of query) {
        messages.push(message);
        if (message['type'] === 'result' && message['origin'] === undefined) this.#results += 1;
        this.#resultSeen();
        if (await this.#act(query, messages.length)) break;
      }
    } catch (error) {
      return { messages, error: (error as Error).message };
    } finally {
      this.#results = Number.POSITIVE_INFINITY;
      this.#resultSeen();
    }
    return { messages };
  }

  /** True when the host leaves. */
  async #act(query: MockQuery, seen: number): Promise<boolean> {
    const due = this.#acts.find(({ after, name }) => after === seen && ACTS.has(name));
    if (due === undefined) return false;
    if (this.#options.timeScale > 0) await delay(due.waitMs * this.#options.timeScale);
    if (due.name === 'interrupt()') void query.interrupt();
    if (due.name === 'abort()') this.#options.abort();
    return due.name === 'consumer break';
  }
}
