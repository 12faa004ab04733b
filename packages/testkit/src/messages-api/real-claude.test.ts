import { EventEmitter, once } from 'node:events';
import {
  type Options,
  query,
  type SDKMessage,
  type SDKResultMessage,
  type SDKUserMessage,
} from '@anthropic-ai/claude-agent-sdk';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { claudeBinary } from '../claude-process/claude-binary.ts';
import { cleanEnvironment } from '../claude-process/environment.ts';
import { makeProject, type Project } from '../claude-process/project.ts';
import { type MessagesApi, startMessagesApi } from './messages-api.ts';
import { answer, apiError, cut, hang, refusal, streamError, text, thinking, toolUse, type WireUsage } from './reply.ts';
import { type Rule, when } from './rule.ts';

const binary = claudeBinary();
const suite = binary.absent === undefined ? 'the real claude against the scripted API' : `skipped: ${binary.absent}`;
const MODEL = 'claude-sonnet-4-5';

const usage = (input: number, output: number): WireUsage => ({
  input_tokens: input,
  output_tokens: output,
  cache_creation_input_tokens: 300,
  cache_read_input_tokens: 4000,
});

const bash = (id: string, command: string) => toolUse({ id, name: 'Bash', input: { command, description: 'run it' } });

describe.skipIf(binary.absent !== undefined)(suite, { timeout: 60_000 }, () => {
  let project: Project;
  let api: MessagesApi;

  beforeEach(async () => {
    project = await makeProject();
  });
  afterEach(async () => {
    await api.close();
    await project.remove();
  });

  async function run(prompt: string, rules: readonly Rule[], options: Options = {}): Promise<readonly SDKMessage[]> {
    api = await startMessagesApi({ rules });
    const messages: SDKMessage[] = [];
    const running = query({
      prompt,
      options: {
        cwd: project.cwd,
        model: MODEL,
        allowedTools: ['Bash', 'Read', 'Agent'],
        settingSources: [],
        env: cleanEnvironment({ home: project.home, apiUrl: api.url }),
        ...(binary.path === undefined ? {} : { pathToClaudeCodeExecutable: binary.path }),
        ...options,
      },
    });
    try {
      for await (const message of running) messages.push(message);
    } catch (error) {
      // The SDK throws after an error result; that result is what the tests look at.
      if (messages.at(-1)?.type !== 'result') throw error;
    }
    return messages;
  }

  const resultOf = (messages: readonly SDKMessage[]): SDKResultMessage => {
    const results = messages.filter((message) => message.type === 'result');
    expect(results).toHaveLength(1);
    return results[0] as SDKResultMessage;
  };

  test('a text answer arrives with its ids and its final usage', async () => {
    const messages = await run('say hello', [
      when
        .lastUserText('say hello')
        .reply(answer(text('Hello there, friend of the house.'), { usage: usage(1200, 42) })),
    ]);
    api.assertAllMatched();
    expect(api.calls()).toEqual([
      {
        requestId: 'req_scripted_r1_001',
        messageId: 'msg_scripted_r1_001',
        model: MODEL,
        purpose: 'turn',
        sessionId: messages[0]?.session_id,
        status: 200,
        startUsage: {
          ...usage(1200, 1),
          cache_creation: { ephemeral_5m_input_tokens: 300, ephemeral_1h_input_tokens: 0 },
          service_tier: 'standard',
        },
        usage: usage(1200, 42),
        stopReason: 'end_turn',
        end: 'complete',
      },
    ]);
    const assistant = messages.filter((message) => message.type === 'assistant');
    expect(assistant.map(({ request_id, message }) => [request_id, message.id, message.content])).toEqual([
      ['req_scripted_r1_001', 'msg_scripted_r1_001', [{ type: 'text', text: 'Hello there, friend of the house.' }]],
    ]);
    expect(resultOf(messages)).toMatchObject({
      subtype: 'success',
      result: 'Hello there, friend of the house.',
      usage: { input_tokens: 1200, output_tokens: 42 },
      total_cost_usd: 0.006554999999999999,
    });
  });

  test('a Bash call runs and its result decides the next answer', async () => {
    const messages = await run('say hello with bash', [
      when.toolResult('toolu_1', /hello-from-tool/).reply(answer(text('Done.'), { usage: usage(1400, 12) })),
      when
        .lastUserText(/bash/)
        .reply(answer([text('Let me check.'), bash('toolu_1', 'echo hello-from-tool')], { usage: usage(1200, 55) })),
    ]);
    api.assertAllMatched();
    expect(api.calls().map((call) => [call.stopReason, call.usage?.input_tokens, call.usage?.output_tokens])).toEqual([
      ['tool_use', 1200, 55],
      ['end_turn', 1400, 12],
    ]);
    const result = resultOf(messages);
    expect(result.usage).toMatchObject({ input_tokens: 2600, output_tokens: 67 });
    // The figure of the recording `one-tool`, whose server answered with the same usage.
    expect(result.total_cost_usd).toBeCloseTo(0.013455, 9);
  });

  test('thinking comes through with its signature', async () => {
    const messages = await run(
      'think',
      [when.lastUserText('think').reply(answer([thinking('step by step'), text('Thought.')]))],
      { model: 'claude-opus-4-6' },
    );
    api.assertAllMatched();
    const blocks = messages.flatMap((message) => (message.type === 'assistant' ? message.message.content : []));
    expect(blocks).toEqual([
      { type: 'thinking', thinking: 'step by step', signature: 'c2lnbmF0dXJl' },
      { type: 'text', text: 'Thought.' },
    ]);
  });

  test('a gzip response is read like any other', async () => {
    const messages = await run('zip', [when.lastUserText('zip').reply(answer(text('Unzipped.'), { gzip: true }))]);
    expect(resultOf(messages)).toMatchObject({ subtype: 'success', result: 'Unzipped.' });
    expect(api.calls()).toHaveLength(1);
  });

  test('a 429 is retried after its pause and then answered', async () => {
    const messages = await run('hi', [
      when
        .lastUserText('hi')
        .reply([apiError(429, { retryAfter: 1 }), answer(text('Finally.'), { usage: usage(1200, 9) })]),
    ]);
    api.assertAllMatched();
    expect(api.calls().map((call) => [call.status, call.requestId, call.usage?.output_tokens])).toEqual([
      [429, 'req_scripted_r1_001', undefined],
      [200, 'req_scripted_r1_002', 9],
    ]);
    expect(messages.filter((message) => message.type === 'system' && message.subtype === 'api_retry')).toMatchObject([
      { attempt: 1, error_status: 429, error: 'rate_limit' },
    ]);
    expect(resultOf(messages)).toMatchObject({
      subtype: 'success',
      is_error: false,
      result: 'Finally.',
      total_cost_usd: 0.00606,
    });
  });

  test('an error event within a stream is followed by a request that does not stream', async () => {
    const messages = await run('hi', [
      when
        .lastUserText('hi')
        .reply([
          streamError({ blocks: [text('This is a partial answer that will b')], usage: usage(1200, 9) }),
          answer(text('Full answer.'), { usage: usage(1200, 9) }),
        ]),
    ]);
    api.assertAllMatched();
    expect(api.exchanges.map((exchange) => exchange.request.isStreaming)).toEqual([true, false]);
    expect(api.calls().map((call) => [call.end, call.startUsage?.output_tokens, call.usage?.output_tokens])).toEqual([
      ['error', 1, undefined],
      ['complete', 1, 9],
    ]);
    // As in the recording `mid-stream-error`: the broken call is in `usage`, not in `modelUsage`.
    const result = resultOf(messages);
    expect(result.usage).toMatchObject({ input_tokens: 2400, output_tokens: 10 });
    expect(result.modelUsage[MODEL]).toMatchObject({ inputTokens: 1200, outputTokens: 9 });
  });

  test('a stream that is cut within a block is asked for again', async () => {
    const messages = await run('hi', [
      when.lastUserText('hi').reply([cut({ blocks: [text('This is a partial answer')] }), text('Full answer.')]),
    ]);
    api.assertAllMatched();
    expect(api.calls().map((call) => [call.end, call.usage?.output_tokens])).toEqual([
      ['cut', undefined],
      ['complete', 42],
    ]);
    expect(resultOf(messages)).toMatchObject({ subtype: 'success', result: 'Full answer.' });
  });

  test('a stream that is cut after a tool call counts as answered: the tool runs', async () => {
    await run('hi', [
      when.toolResult('toolu_cut', /ran/).reply(text('Done.')),
      when.lastUserText('hi').reply([cut({ blocks: [bash('toolu_cut', 'echo ran')], at: 'afterBlock' })]),
    ]);
    api.assertAllMatched();
    expect(api.calls().map((call) => call.end)).toEqual(['cut', 'complete']);
  });

  test('a refusal is asked once more and then ends the turn', async () => {
    const messages = await run('bad', [when.reply(refusal({ usage: usage(1200, 42) }))]);
    expect(api.calls().map((call) => call.stopReason)).toEqual(['refusal', 'refusal']);
    expect(resultOf(messages)).toMatchObject({ is_error: true });
  });

  test('a foreground subagent asks under its own id and its calls are not in the usage of the turn', async () => {
    const task = {
      description: 'find it',
      prompt: 'Find ALPHA',
      subagent_type: 'general-purpose',
      run_in_background: false,
    };
    const messages = await run('delegate', [
      when
        .agent('subagent')
        .toolResult('toolu_sub')
        .reply(answer(text('ALPHA is here.'), { usage: usage(700, 24) })),
      when
        .agent('subagent')
        .firstUserText('Find ALPHA')
        .reply(answer(bash('toolu_sub', 'cat a.txt'), { usage: usage(600, 30) })),
      when
        .agent('main')
        .toolResult('toolu_agent', /ALPHA is here/)
        .reply(answer(text('All done.'), { usage: usage(1500, 25) })),
      when
        .agent('main')
        .lastUserText('delegate')
        .reply(
          answer([text('Delegating.'), toolUse({ id: 'toolu_agent', name: 'Agent', input: task })], {
            usage: usage(1200, 60),
          }),
        ),
    ]);
    api.assertAllMatched();
    const calls = api.calls();
    const agentId = calls[1]?.agentId;
    expect(agentId).toMatch(/^[0-9a-f]+$/);
    expect(
      calls.map((call) => [call.agentId, call.requestId, call.usage?.input_tokens, call.usage?.output_tokens]),
    ).toEqual([
      [undefined, 'req_scripted_r4_001', 1200, 60],
      [agentId, 'req_scripted_r2_001', 600, 30],
      [agentId, 'req_scripted_r1_001', 700, 24],
      [undefined, 'req_scripted_r3_001', 1500, 25],
    ]);
    const started = messages.find((message) => message.type === 'system' && message.subtype === 'task_started');
    expect(started).toMatchObject({ task_id: agentId, tool_use_id: 'toolu_agent' });
    const result = resultOf(messages);
    expect(result).toMatchObject({ subtype: 'success', result: 'All done.' });
    expect(result.usage).toMatchObject({ input_tokens: 2700, output_tokens: 85 });
    // The figures of the recording `subagent-one`.
    expect(result.modelUsage[MODEL]).toMatchObject({ inputTokens: 4000, outputTokens: 139 });
  });

  test('a background subagent outlives the turn and a notification starts the next one', async () => {
    const task = { description: 'find it', prompt: 'Find GAMMA', subagent_type: 'general-purpose' };
    const messages = await run('delegate', [
      when
        .agent('subagent')
        .firstUserText('Find GAMMA')
        .reply(answer(text('GAMMA.'), { delayMs: 300 })),
      when.taskNotification(/GAMMA/).reply(text('It is done.')),
      when.toolResult('toolu_bg').reply(text('Started.')),
      when.lastUserText('delegate').reply(toolUse({ id: 'toolu_bg', name: 'Agent', input: task })),
    ]);
    api.assertAllMatched();
    expect(messages.filter((message) => message.type === 'result').map((message) => message.subtype)).toEqual([
      'success',
      'success',
    ]);
    expect(api.calls().filter((call) => call.agentId !== undefined)).toHaveLength(1);
    expect(api.calls()).toHaveLength(4);
  });

  test('an answer that never comes is left when the host aborts', async () => {
    const abortController = new AbortController();
    api = await startMessagesApi({ rules: [when.reply(hang({ blocks: [text('word word')] }))] });
    const env = cleanEnvironment({ home: project.home, apiUrl: api.url });
    const running = query({
      prompt: 'hi',
      options: { cwd: project.cwd, model: MODEL, env, settingSources: [], abortController },
    });
    const consumed = Promise.allSettled([
      (async () => {
        for await (const _ of running) continue;
      })(),
    ]);
    await api.waitFor((exchange) => exchange.startUsage !== undefined);
    abortController.abort();
    expect(await consumed).toMatchObject([{ status: 'rejected' }]);
    expect((await api.waitFor((exchange) => exchange.end !== 'open')).end).toBe('clientClosed');
  });

  test('a title is asked for as such when side calls are on', async () => {
    const titled = when
      .purpose('title')
      .reply(answer(text(JSON.stringify({ title: 'A title' })), { usage: usage(200, 8) }));
    const env = (home: string, apiUrl: string) =>
      cleanEnvironment({ home, apiUrl, extra: { CLAUDE_CODE_DISABLE_NONESSENTIAL_TRAFFIC: undefined } });
    api = await startMessagesApi({
      rules: [titled, when.lastUserText('Please refactor').reply(answer(text('Yes.'), { delayMs: 200 }))],
    });
    const running = query({
      prompt: 'Please refactor',
      options: { cwd: project.cwd, model: MODEL, env: env(project.home, api.url), settingSources: [] },
    });
    for await (const _ of running) continue;
    api.assertAllMatched();
    expect(
      api
        .calls()
        .map((call) => call.purpose)
        .toSorted(),
    ).toEqual(['title', 'turn']);
  });

  test('a compaction is asked for as such', async () => {
    const turns = new EventEmitter();
    async function* prompts(): AsyncGenerator<SDKUserMessage> {
      for (const content of ['one', '/compact', 'two']) {
        const ended = once(turns, 'end');
        yield { type: 'user', parent_tool_use_id: null, message: { role: 'user', content } };
        // The CLI merges prompts that are sent before a turn has ended.
        await ended;
      }
    }
    const summary = answer(text('<summary>They said one.</summary>'), { usage: usage(2000, 200) });
    const long = text('a fairly long reply '.repeat(50));
    api = await startMessagesApi({
      rules: [
        when.purpose('compaction').reply(summary),
        when.lastUserText('one').reply(long),
        when.lastUserText('two').reply(long),
      ],
    });
    const env = cleanEnvironment({ home: project.home, apiUrl: api.url });
    const options = { cwd: project.cwd, model: MODEL, env, settingSources: [] };
    for await (const message of query({ prompt: prompts(), options })) {
      if (message.type === 'result') turns.emit('end');
    }
    api.assertAllMatched();
    expect(api.calls().map((call) => call.purpose)).toEqual(['turn', 'compaction', 'turn']);
  });

  test('a request that no rule expects fails loudly with a print of it', async () => {
    await run('surprise', [when.lastUserText('something else').reply(text('never'))]);
    expect(api.unmatched.length).toBeGreaterThan(0);
    expect(() => api.assertAllMatched()).toThrow(/last text {2}"surprise"/);
    expect(api.calls().every((call) => call.status === 400)).toBe(true);
  });
});
