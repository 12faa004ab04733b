import { setImmediate as nextTick } from 'node:timers/promises';
import type { Query, SpareProcess, WarmQuery } from '@anthropic-ai/claude-agent-sdk';
import * as realSdk from '@anthropic-ai/claude-agent-sdk';
import { describe, expect, test } from 'vitest';
import { startCollector } from '../collector/collector.ts';
import { asString, type JsonObject } from '../json.ts';
import { listRecordings, openRecording } from '../recordings/recording.ts';
import { mockSdk } from './mock-sdk.ts';
import { hostOf } from './recorded-host.ts';
import { recordedScenarios } from './recorded-scenario.ts';
import { messages, type ScenarioStep } from './scenario.ts';

const EVERYTHING = { includePartialMessages: true, forwardSubagentText: true, env: {} };
const withStream = listRecordings().filter((name) => !name.startsWith('cli-'));

/** Every member that the SDK declares: the compiler finds what is missing here, and what is too much. */
const QUERY_MEMBERS: Record<keyof Query, true> = {
  next: true,
  return: true,
  throw: true,
  [Symbol.asyncIterator]: true,
  [Symbol.asyncDispose]: true,
  interrupt: true,
  setPermissionMode: true,
  setMcpPermissionModeOverride: true,
  setModel: true,
  setMaxThinkingTokens: true,
  applyFlagSettings: true,
  updateSettings: true,
  initializationResult: true,
  reinitialize: true,
  supportedCommands: true,
  supportedModels: true,
  supportedAgents: true,
  mcpServerStatus: true,
  getContextUsage: true,
  usage_EXPERIMENTAL_MAY_CHANGE_DO_NOT_RELY_ON_THIS_API_YET: true,
  readFile: true,
  reloadPlugins: true,
  reloadSkills: true,
  reloadOutputStyles: true,
  accountInfo: true,
  rewindFiles: true,
  seedReadState: true,
  reconnectMcpServer: true,
  toggleMcpServer: true,
  readMcpResource: true,
  setMcpServers: true,
  streamInput: true,
  stopTask: true,
  backgroundTasks: true,
  close: true,
};

describe('the surface', () => {
  test('every member of the declared Query is there, and on a query of the real SDK', async () => {
    const mock = mockSdk({ scenarios: [messages([])] }).query({ prompt: 'hello', options: { env: {} } });
    const real = realSdk.query({ prompt: neverEnding(), options: { pathToClaudeCodeExecutable: '/bin/cat', env: {} } });
    try {
      const isFunction = (query: object) => (name: PropertyKey) => typeof Reflect.get(query, name) === 'function';
      const members = Reflect.ownKeys(QUERY_MEMBERS);
      expect(members.filter((name) => !isFunction(real)(name))).toEqual([]);
      expect(members.filter((name) => !isFunction(mock)(name))).toEqual([]);
      // The real one too gives `for await` another object than itself.
      expect([real[Symbol.asyncIterator]() === real, mock[Symbol.asyncIterator]() === mock]).toEqual([false, false]);
    } finally {
      real.close();
      await mock.return();
    }
  });

  test('children that are started in advance have the declared members', async () => {
    const sdk = mockSdk({ scenarios: [messages([]), messages([])] });
    const warm = { query: true, close: true, [Symbol.asyncDispose]: true } satisfies Record<keyof WarmQuery, true>;
    const spare = { claim: true, claimed: true, close: true, [Symbol.asyncDispose]: true } satisfies Partial<
      Record<keyof SpareProcess, true>
    >;
    const options = { env: {} };
    await using started = await sdk.startup({ options });
    await using parked = await sdk.prewarm({ options });
    expect(Reflect.ownKeys(started)).toEqual(Reflect.ownKeys(warm));
    expect(new Set(Reflect.ownKeys(parked))).toEqual(new Set(Reflect.ownKeys(spare)));
  });

  test('tool() and createSdkMcpServer() return what the real ones return', () => {
    const sdk = mockSdk({ scenarios: [] });
    const handler = async () => ({ content: [] });
    const extras = { annotations: { readOnlyHint: true } };
    expect(sdk.tool('t', 'd', {}, handler, extras)).toEqual(realSdk.tool('t', 'd', {}, handler, extras));
    expect(Object.keys(sdk.createSdkMcpServer({ name: 's' }))).toEqual(
      Object.keys(realSdk.createSdkMcpServer({ name: 's' })),
    );
  });
});

describe('a recording', () => {
  test.each(withStream)('%s is played message by message to the recorded end', async (name) => {
    const recording = openRecording(name);
    const sdk = mockSdk({ scenarios: recordedScenarios(recording), times: 'recorded' });
    const played = await hostOf(recording, sdk, { options: EVERYTHING });
    expect(played.flatMap((consumed) => consumed.messages)).toEqual(recording.messages.map(({ message }) => message));
    const errors = recording.driverEvents
      .filter((event) => event.name === 'iterator threw')
      .map(({ fields }) => asString(fields['message']));
    expect(played.flatMap(({ error }) => error ?? [])).toEqual(errors);
  });

  test('partial messages and subagent text come only to those who asked', async () => {
    const recording = openRecording('forwarded-subagent');
    const play = async (options: JsonObject): Promise<readonly JsonObject[]> => {
      const sdk = mockSdk({ scenarios: recordedScenarios(recording) });
      return (await hostOf(recording, sdk, { options: { ...options, env: {} } }))[0]?.messages ?? [];
    };
    const kinds = (list: readonly JsonObject[]) => new Set(list.map(({ type, subtype }) => subtype ?? type));
    expect(kinds(await play({ includePartialMessages: true }))).toContain('stream_event');
    const plain = await play({});
    expect(kinds(plain)).not.toContain('stream_event');
    const words = (list: readonly JsonObject[]) =>
      list.filter((message) => JSON.stringify(message).includes('"type":"text"') && message['agent_id'] !== undefined);
    // The answers of the subagent that are nothing but text: one, msg_…003.
    expect(words(await play({ forwardSubagentText: true })).length - words(plain).length).toBeGreaterThan(0);
  });

  test.each(['http/json', 'http/protobuf'])(
    'its telemetry reaches the endpoints in its environment (%s)',
    async (protocol) => {
      await using collector = await startCollector();
      const recording = openRecording('bash-call');
      const env = telemetryTo(collector.url, protocol);
      const before = BigInt(Date.now()) * 1_000_000n;
      await hostOf(recording, mockSdk({ scenarios: recordedScenarios(recording) }), { options: { env } });
      expect(new Set(collector.requests.map((request) => request.protocol))).toEqual(new Set([protocol]));
      const recorded = (signal: 'traces' | 'logs', each: RegExp): number =>
        recording.telemetry[signal].flatMap(({ payload }) => JSON.stringify(payload).match(each) ?? []).length;
      expect(collector.spans()).toHaveLength(recorded('traces', /"spanId"/g));
      expect(collector.logs()).toHaveLength(recorded('logs', /"observedTimeUnixNano"/g));
      expect(collector.metrics().length).toBeGreaterThan(3);
      const interaction = collector.spans().find(({ name }) => name === 'claude_code.interaction');
      expect(interaction?.traceId).toBe('5a1e7c0ffee0d15ea5e0ba5eba11ad00');
      expect(BigInt(interaction?.startedAt ?? 0) >= before).toBe(true);
    },
  );

  test('without telemetry in its environment nothing is sent', async () => {
    await using collector = await startCollector();
    const recording = openRecording('bash-call');
    const { CLAUDE_CODE_ENABLE_TELEMETRY: _, ...env } = telemetryTo(collector.url, 'http/json');
    await hostOf(recording, mockSdk({ scenarios: recordedScenarios(recording) }), { options: { env } });
    expect(collector.requests).toEqual([]);
  });

  test('a trace context in its environment becomes the parent of its spans', async () => {
    await using collector = await startCollector();
    const recording = openRecording('bash-call');
    const TRACEPARENT = '00-11111111111111111111111111111111-2222222222222222-01';
    const env = { ...telemetryTo(collector.url, 'http/protobuf'), TRACEPARENT };
    await hostOf(recording, mockSdk({ scenarios: recordedScenarios(recording) }), { options: { env } });
    const spans = collector.spans();
    expect(new Set(spans.map(({ traceId }) => traceId))).toEqual(new Set(['1'.repeat(32)]));
    const roots = spans.filter(({ parentSpanId }) => !spans.some(({ spanId }) => spanId === parentSpanId));
    expect(roots.map(({ name, parentSpanId }) => [name, parentSpanId])).toEqual([
      ['claude_code.interaction', '2'.repeat(16)],
    ]);
  });
});

describe('a scenario', () => {
  const text = (words: string): JsonObject => ({
    type: 'assistant',
    message: { content: [{ type: 'text', text: words }] },
  });
  const result: JsonObject = { type: 'result', subtype: 'success', is_error: false, result: 'done' };
  const options = { env: {} };

  test('interrupt() ends the turn with an error result, which the iterator then throws', async () => {
    const list = Array.from({ length: 100 }, (_, index) => text(`${index}`));
    const query = mockSdk({ scenarios: [messages([...list, result])] }).query({ prompt: 'hello', options });
    const seen: JsonObject[] = [];
    const reading = async (): Promise<void> => {
      for await (const message of query) {
        seen.push(message);
        if (seen.length === 3) await query.interrupt();
      }
    };
    await expect(reading()).rejects.toThrow('Claude Code returned an error result: [Request interrupted by user]');
    expect(seen.length).toBeLessThan(20);
    expect(seen.at(-1)).toMatchObject({ type: 'result', terminal_reason: 'aborted_streaming', is_error: true });
  });

  test('an abort ends it with the error of the real SDK', async () => {
    const abortController = new AbortController();
    const steps: ScenarioStep[] = [
      { type: 'message', atMs: 0, message: text('a') },
      { type: 'message', atMs: 60_000, message: text('b') },
    ];
    const sdk = mockSdk({ scenarios: [{ steps }], timeScale: 1 });
    const query = sdk.query({ prompt: 'hello', options: { ...options, abortController } });
    expect((await query.next()).value).toBe(steps[0]?.type === 'message' ? steps[0].message : undefined);
    abortController.abort();
    await expect(query.next()).rejects.toThrow(new sdk.AbortError('Claude Code process aborted by user'));
  });

  test('return() while a next() is pending ends both', async () => {
    const steps: ScenarioStep[] = [{ type: 'message', atMs: 60_000, message: text('late') }];
    const query = mockSdk({ scenarios: [{ steps }], timeScale: 1 }).query({ prompt: 'hello', options });
    const pending = query.next();
    await nextTick();
    expect(await query.return()).toEqual({ done: true, value: undefined });
    expect(await pending).toEqual({ done: true, value: undefined });
    expect(await query.next()).toEqual({ done: true, value: undefined });
  });

  test('prompts are taken at once, as the real SDK takes them', async () => {
    const taken: number[] = [];
    async function* prompts(): AsyncGenerator<unknown> {
      for (let index = 0; index < 3; index += 1) {
        taken.push(index);
        yield { type: 'user', message: { role: 'user', content: `${index}` } };
      }
    }
    const steps: ScenarioStep[] = [{ type: 'message', atMs: 60_000, message: text('late') }];
    const sdk = mockSdk({ scenarios: [{ steps }], timeScale: 1 });
    const query = sdk.query({ prompt: prompts(), options });
    await nextTick();
    await nextTick();
    expect(taken).toEqual([0, 1, 2]);
    expect(sdk.calls[0]?.prompts).toHaveLength(3);
    await query.return();
  });

  test('handlers of in-process tools are called with the id of the call', async () => {
    const sdk = mockSdk({
      scenarios: [
        messages([
          {
            type: 'assistant',
            message: { content: [{ type: 'tool_use', id: 'toolu_1', name: 'mcp__calc__add', input: { a: 1 } }] },
          },
          result,
        ]),
      ],
    });
    const calls: unknown[] = [];
    const add = sdk.tool(
      'add',
      'adds',
      {},
      async (input, extra) => void calls.push([input, Reflect.get(extra as object, '_meta')]),
    );
    const calc = sdk.createSdkMcpServer({ name: 'calc', tools: [add] });
    for await (const _ of sdk.query({ prompt: 'hello', options: { ...options, mcpServers: { calc } } }));
    expect(calls).toEqual([[{ a: 1 }, { 'claudecode/toolUseId': 'toolu_1' }]]);
  });
});

function telemetryTo(url: string, protocol: string): Record<string, string> {
  const signals = ['TRACES', 'LOGS', 'METRICS'].flatMap((signal) => [
    [`OTEL_${signal}_EXPORTER`, 'otlp'],
    [`OTEL_EXPORTER_OTLP_${signal}_ENDPOINT`, `${url}/secret-path/v1/${signal.toLowerCase()}`],
    [`OTEL_EXPORTER_OTLP_${signal}_PROTOCOL`, protocol],
  ]);
  return {
    CLAUDE_CODE_ENABLE_TELEMETRY: '1',
    CLAUDE_CODE_ENHANCED_TELEMETRY_BETA: '1',
    ...(Object.fromEntries(signals) as Record<string, string>),
  };
}

function neverEnding(): AsyncIterable<never> {
  return { [Symbol.asyncIterator]: () => ({ next: () => new Promise(() => undefined) }) };
}
