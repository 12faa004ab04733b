import { EventEmitter, once } from 'node:events';
import { mkdir, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import * as realSdk from '@anthropic-ai/claude-agent-sdk';
import type { Options, Query, SDKMessage, SDKUserMessage } from '@anthropic-ai/claude-agent-sdk';
import { type Span, type Tracing, type TracingOptions, type TracingStats, treeText } from '@spanprism/core';
import {
  claudeBinary,
  cleanEnvironment,
  makeProject,
  type MessagesApi,
  type Project,
  type Rule,
  startMessagesApi,
  type WireCall,
} from '@spanprism/testkit';
import { loadCore } from './load-core.ts';
import { type Told, type WatchingSink, watchingSink } from './watching-sink.ts';

/** The model that scenarios ask for unless they say otherwise. */
export const MODEL = 'claude-sonnet-4-5';

export type Sdk = typeof realSdk;

export interface Scenario {
  readonly rules: readonly Rule[];
  /** One prompt, … */
  readonly prompt?: string;
  /** … or several, as streaming input: each is given when the turn before has ended. */
  readonly prompts?: readonly string[];
  readonly options?: Options | ((stage: Stage) => Options);
  /** Variables of the user's environment on top of a clean one; `undefined` takes one away. */
  readonly env?: Readonly<Record<string, string | undefined>>;
  /** `false`: the same run without tracing. */
  readonly tracing?: Partial<TracingOptions> | false;
  readonly sink?: WatchingSink;
  /** How long delivery may take; 15 s unless given, which is longer than the five seconds that a query waits for its child. */
  readonly flushMs?: number;
  /** Files of the home folder, by path. */
  readonly home?: Readonly<Record<string, string>>;
  /** Consumes the query in place of `for await`. */
  readonly drive?: Drive;
  /** Does everything by itself, in place of one query. */
  readonly play?: (stage: Stage) => Promise<void>;
}

export type Drive = (query: Query, seat: Seat) => Promise<void>;

/** Where the consumer of a query sits. */
export interface Seat {
  readonly stage: Stage;
  readonly messages: readonly SDKMessage[];
  /** Puts a message to the others; a result lets the next prompt go. */
  readonly keep: (message: SDKMessage) => void;
}

/** What the consumer of one query got. */
export interface Heard {
  readonly messages: readonly SDKMessage[];
  /** What the iterator threw. */
  readonly thrown?: unknown;
}

/** Everything that a run is made of, for scenarios that drive it themselves. */
export interface Stage {
  readonly sdk: Sdk;
  readonly api: MessagesApi;
  readonly project: Project;
  /** Absent in a run without tracing. */
  readonly tracing: Tracing | undefined;
  /** Options of a run that shares nothing with this machine. */
  readonly options: (own?: Options) => Options;
  /** One query from beginning to end. */
  readonly ask: (prompt: string | readonly string[], own?: Options, drive?: Drive) => Promise<Heard>;
}

export interface Run extends Heard {
  readonly spans: readonly Span[];
  readonly told: readonly Told[];
  readonly tree: string;
  readonly calls: readonly WireCall[];
  readonly api: MessagesApi;
  readonly stats: TracingStats | undefined;
  /** Warnings and errors of the tracing. */
  readonly diagnostics: readonly string[];
  /** What `flush` rejected with. */
  readonly undelivered: unknown;
}

/** Runs the real `claude` against a scripted Messages API and traces it; returns when everything has been delivered. */
export async function runScenario(scenario: Scenario): Promise<Run> {
  await using project = await makeProject();
  await writeFiles(project.home, scenario.home ?? {});
  const api = await startMessagesApi({ rules: scenario.rules });
  const { sink = watchingSink(), flushMs = 15_000 } = scenario;
  const diagnostics: string[] = [];
  const core = await loadCore();
  const tracing =
    scenario.tracing === false
      ? undefined
      : core.createTracing({
          sinks: [sink],
          agentName: 'main',
          diag: (level, message) => {
            if (level === 'warn' || level === 'error') diagnostics.push(`${level}: ${message}`);
          },
          ...scenario.tracing,
        });
  try {
    await tracing?.ready();
    const stage = makeStage(scenario, { project, api, tracing });
    const heard = await play(scenario, stage);
    const undelivered = await failureOf(tracing?.flush(flushMs));
    api.assertAllMatched();
    const stats = tracing?.stats();
    return {
      ...heard,
      spans: sink.spans,
      told: sink.told,
      tree: treeText(sink.spans),
      calls: api.calls(),
      api,
      stats,
      diagnostics,
      undelivered,
    };
  } finally {
    await failureOf(tracing?.close(flushMs));
    await api.close();
  }
}

async function failureOf(work: Promise<void> | undefined): Promise<unknown> {
  const [settled] = await Promise.allSettled([work]);
  return settled.status === 'rejected' ? settled.reason : undefined;
}

async function play(scenario: Scenario, stage: Stage): Promise<Heard> {
  if (scenario.play !== undefined) {
    await scenario.play(stage);
    return { messages: [] };
  }
  const own = typeof scenario.options === 'function' ? scenario.options(stage) : scenario.options;
  return stage.ask(scenario.prompts ?? scenario.prompt ?? '', own, scenario.drive);
}

function makeStage(scenario: Scenario, { project, api, tracing }: Pick<Stage, 'project' | 'api' | 'tracing'>): Stage {
  const sdk: Sdk = tracing === undefined ? realSdk : tracing.wrapSdk(realSdk);
  const binary = claudeBinary();
  const options = (own: Options = {}): Options => ({
    cwd: project.cwd,
    model: MODEL,
    allowedTools: ['Bash', 'Read', 'Write', 'Edit', 'Agent'],
    settingSources: [],
    env: cleanEnvironment({ home: project.home, apiUrl: api.url, extra: scenario.env ?? {} }),
    ...(binary.path === undefined ? {} : { pathToClaudeCodeExecutable: binary.path }),
    ...own,
  });
  const stage: Stage = {
    sdk,
    api,
    project,
    tracing,
    options,
    ask: async (prompt, own, drive = consume) => {
      const messages: SDKMessage[] = [];
      const turns = new Turns(typeof prompt === 'string' ? [] : prompt);
      const query = sdk.query({ prompt: typeof prompt === 'string' ? prompt : turns.prompts(), options: options(own) });
      try {
        const keep = (message: SDKMessage): void => {
          messages.push(message);
          if (message.type === 'result') turns.end();
        };
        await drive(query, { stage, messages, keep });
        return { messages };
      } catch (thrown) {
        return { messages, thrown };
      }
    },
  };
  return stage;
}

const consume: Drive = async (query, { keep }) => {
  for await (const message of query) keep(message);
};

/** Prompts of a streaming input. The CLI merges prompts that are sent before a turn has ended, so each waits for its turn. */
class Turns {
  readonly #texts: readonly string[];
  readonly #ends: EventEmitter = new EventEmitter();
  #ended = 0;

  constructor(texts: readonly string[]) {
    this.#texts = texts;
  }

  async *prompts(): AsyncGenerator<SDKUserMessage> {
    for (const [index, content] of this.#texts.entries()) {
      yield { type: 'user', parent_tool_use_id: null, message: { role: 'user', content } };
      while (this.#ended <= index) await once(this.#ends, 'end');
    }
  }

  end(): void {
    this.#ended += 1;
    this.#ends.emit('end');
  }
}

async function writeFiles(folder: string, files: Readonly<Record<string, string>>): Promise<void> {
  for (const [path, content] of Object.entries(files)) {
    await mkdir(dirname(join(folder, path)), { recursive: true });
    await writeFile(join(folder, path), content);
  }
}
