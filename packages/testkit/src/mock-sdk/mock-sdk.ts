import { asObject, type JsonObject } from '../json.ts';
import { AbortError, MockChild } from './child.ts';
import type { ControlAnswers } from './control-answers.ts';
import type { ChildEnvironment } from './exporter.ts';
import { createSdkMcpServer, tool } from './mcp-server.ts';
import { type MockQuery, mockQuery, type Prompt } from './mock-query.ts';
import type { Scenario } from './scenario.ts';

/** What one child was started with and what was asked of it. */
export interface MockCall {
  readonly startedBy: 'query' | 'startup' | 'prewarm';
  /** The options object itself, as it was given. */
  readonly options: unknown;
  /** Every prompt as it was taken. */
  readonly prompts: readonly unknown[];
  /** Control requests and ways out, in order. */
  readonly requests: readonly { readonly name: string; readonly parameters: readonly unknown[] }[];
  /** Settles when the child is gone. */
  readonly exited: Promise<void>;
}

export interface MockSdkOptions {
  /** What successive children play, or a function that says it by the call's number and options. */
  readonly scenarios: readonly Scenario[] | ((index: number, options: JsonObject) => Scenario);
  /** Length of a recorded millisecond: 1 plays as it was recorded, 0 (the default) without waiting. */
  readonly timeScale?: number;
  /**
   * `moved` (the default): timestamps in messages and telemetry lie in this run, beginning with the query. `recorded`: they are as in
   * the scenario, and its messages are handed out as the very same objects.
   */
  readonly times?: 'moved' | 'recorded';
  /** Milliseconds that a child goes on after the host has let go, unless its scenario says what it does then. Default 0. */
  readonly graceMs?: number;
  /** Instead of the standard answers to control requests. */
  readonly answers?: ControlAnswers;
  /** What a child inherits when its options name no environment. Default: that of this process. */
  readonly environment?: ChildEnvironment;
}

interface Parameters {
  readonly prompt: Prompt;
  readonly options?: object;
}

interface StartParameters {
  readonly options?: object;
  readonly initializeTimeoutMs?: number;
}

export interface MockWarmQuery extends AsyncDisposable {
  query(prompt: Prompt): MockQuery;
  close(): void;
}

export interface MockSpareProcess extends AsyncDisposable {
  claim(parameters: Parameters): MockQuery;
  readonly claimed: Promise<JsonObject>;
  close(): void;
}

/** The part of the SDK's namespace that starts children, and what its tools need. */
export interface MockSdk {
  query(parameters: Parameters): MockQuery;
  startup(parameters?: StartParameters): Promise<MockWarmQuery>;
  prewarm(parameters?: StartParameters): Promise<MockSpareProcess>;
  readonly createSdkMcpServer: typeof createSdkMcpServer;
  readonly tool: typeof tool;
  readonly AbortError: typeof AbortError;
  /** All children so far. */
  readonly calls: readonly MockCall[];
}

/**
 * A stand-in for `@anthropic-ai/claude-agent-sdk` without a process: plays scenarios through `query()`, and posts their telemetry to
 * the endpoints in the environment that it is given. Held against the real one by replaying recordings of it.
 *
 * @example
 * const { query } = mockSdk({ scenarios: recordedScenarios(openRecording('one-tool')) });
 */
export function mockSdk(options: MockSdkOptions): MockSdk {
  const calls: MockCall[] = [];
  const spawn = (startedBy: MockCall['startedBy'], given: unknown): ReturnType<typeof mockQuery> => {
    const own = asObject(given);
    const child = new MockChild({
      scenario: scenarioOf(options, calls.length, own),
      options: own,
      environment: (own['env'] ?? options.environment ?? process.env) as ChildEnvironment,
      timeScale: options.timeScale ?? 0,
      times: options.times ?? 'moved',
      graceMs: options.graceMs ?? 0,
    });
    const prompts: unknown[] = [];
    const requests: { name: string; parameters: readonly unknown[] }[] = [];
    calls.push({ startedBy, options: given, prompts, requests, exited: child.exited });
    return mockQuery({
      child,
      options: own,
      answers: options.answers ?? {},
      onCall: (name, parameters) => void requests.push({ name, parameters }),
      onPrompt: (prompt) => void prompts.push(prompt),
    });
  };
  return {
    query: ({ prompt, options: given }) => {
      const { query, give } = spawn('query', given);
      give(prompt);
      return query;
    },
    startup: async (parameters = {}) => warmQuery(spawn('startup', parameters.options)),
    prewarm: async (parameters = {}) => spareProcess(spawn('prewarm', parameters.options)),
    createSdkMcpServer,
    tool,
    AbortError,
    calls,
  };
}

function scenarioOf({ scenarios }: MockSdkOptions, index: number, options: JsonObject): Scenario {
  const found = typeof scenarios === 'function' ? scenarios(index, options) : scenarios[index];
  if (found === undefined)
    throw new Error(`the mock SDK has no scenario for child ${index + 1}: give it as many as children start`);
  return found;
}

function warmQuery({ query, give }: ReturnType<typeof mockQuery>): MockWarmQuery {
  const claim = once('WarmQuery.query()');
  return {
    query: (prompt) => {
      claim();
      give(prompt);
      return query;
    },
    close: () => query.close(),
    [Symbol.asyncDispose]: async () => query.close(),
  };
}

function spareProcess({ query, give }: ReturnType<typeof mockQuery>): MockSpareProcess {
  const claim = once('SpareProcess.claim()');
  let settle: (claim: JsonObject) => void = () => undefined;
  const claimed = new Promise<JsonObject>((resolve) => {
    settle = resolve;
  });
  return {
    claim: ({ prompt }) => {
      claim();
      give(prompt);
      settle({ cwd: process.cwd(), sessionId: '', parkedMs: 0 });
      return query;
    },
    claimed,
    close: () => query.close(),
    [Symbol.asyncDispose]: async () => query.close(),
  };
}

function once(name: string): () => void {
  let isUsed = false;
  return () => {
    if (isUsed) throw new Error(`${name} can only be called once`);
    isUsed = true;
  };
}
