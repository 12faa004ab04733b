import { afterEach, describe, expect, test } from 'vitest';
import { readSpans } from '../collector/telemetry-view.ts';
import { asString } from '../json.ts';
import { isMessagesCall } from '../recordings/recorded-wire.ts';
import { listRecordings, openRecording, recordingsAbsent, recordingsRoot } from '../recordings/recording.ts';
import { type MessagesApi, startMessagesApi } from './messages-api.ts';
import { answer, apiError, cut, hang, rawBlock, streamError, text, thinking, toolUse } from './reply.ts';
import { readMessagesRequest } from './request.ts';
import { type Rule, when } from './rule.ts';

let api: MessagesApi;
afterEach(() => api?.close());

const start = async (...rules: readonly Rule[]) => {
  api = await startMessagesApi({ rules });
};

interface Ask {
  readonly content: unknown;
  readonly stream?: boolean;
  readonly headers?: Record<string, string>;
  readonly path?: string;
  readonly body?: Record<string, unknown>;
}

function ask({
  content,
  stream = false,
  headers = {},
  path = '/v1/messages?beta=true',
  body = {},
}: Ask): Promise<Response> {
  const messages = [{ role: 'user', content }];
  return fetch(`${api.url}${path}`, {
    method: 'POST',
    headers: { 'content-type': 'application/json', ...headers },
    body: JSON.stringify({ model: 'claude-x', max_tokens: 100, stream, messages, ...body }),
  });
}

const json = async (response: Response) => (await response.json()) as Record<string, unknown>;
const events = async (response: Response) =>
  [...(await response.text()).matchAll(/^data: (.*)$/gm)].map(
    ([, data]) => JSON.parse(data ?? '') as Record<string, unknown>,
  );

describe('rules', () => {
  test('go by the last user text that is no reminder, not by the order of calls', async () => {
    await start(when.lastUserText('two').reply(text('second')), when.lastUserText(/^one/).reply(text('first')));
    const reminder = { type: 'text', text: '<system-reminder>\ntwo\n</system-reminder>' };
    const answers = [
      await ask({
        content: [reminder, { type: 'text', text: 'one\n<system-reminder>two</system-reminder>' }, reminder],
      }),
      await ask({ content: 'two' }),
    ];
    const texts = await Promise.all(answers.map(json));
    expect(texts.map((body) => body['content'])).toEqual([
      [{ type: 'text', text: 'first' }],
      [{ type: 'text', text: 'second' }],
    ]);
  });

  test('see through a system message that comes after the user message', async () => {
    await start(when.lastUserText('hi').reply(text('yes')));
    const messages = [
      { role: 'user', content: 'hi' },
      { role: 'system', content: 'Environment' },
    ];
    expect((await ask({ content: '', body: { messages } })).status).toBe(200);
  });

  test('a text is not met again by the tool result that follows it', async () => {
    await start(
      when.lastUserText('go').reply(toolUse({ id: 't1', name: 'Bash', input: {} })),
      when.toolResult('t1', /^ok/).reply(text('done')),
    );
    const result = { type: 'tool_result', tool_use_id: 't1', content: [{ type: 'text', text: 'ok' }] };
    const messages = [
      { role: 'user', content: 'go' },
      { role: 'assistant', content: [] },
      { role: 'user', content: [result] },
    ];
    expect((await json(await ask({ content: 'go' })))['stop_reason']).toBe('tool_use');
    expect((await json(await ask({ content: '', body: { messages } })))['stop_reason']).toBe('end_turn');
  });

  test('tell agents apart by their header and their task', async () => {
    await start(
      when.agent('main').reply(text('main')),
      when.agent({ id: 'a1' }).reply(text('a1')),
      when.agent('subagent').firstUserText('Find B').reply(text('B')),
    );
    const of = async (content: string, agentId?: string) => {
      const headers = agentId === undefined ? {} : { 'x-claude-code-agent-id': agentId };
      return (await json(await ask({ content, headers })))['content'];
    };
    expect(await of('x')).toEqual([{ type: 'text', text: 'main' }]);
    expect(await of('x', 'a1')).toEqual([{ type: 'text', text: 'a1' }]);
    expect(await of('Find B', 'a2')).toEqual([{ type: 'text', text: 'B' }]);
  });

  test('a list of replies answers as often as it is long, then the rule is over', async () => {
    await start(when.lastUserText('hi').reply([apiError(529), text('ok')]));
    const statuses = [await ask({ content: 'hi' }), await ask({ content: 'hi' }), await ask({ content: 'hi' })].map(
      (response) => response.status,
    );
    expect(statuses).toEqual([529, 200, 400]);
    expect(api.unmatched).toHaveLength(1);
  });

  test('a rule for turns does not answer a compaction or a title', async () => {
    await start(when.reply(text('turn')), when.purpose('compaction').reply(text('summary')));
    const compaction = await json(await ask({ content: 'CRITICAL: Respond with TEXT ONLY. Do NOT call any tools.' }));
    expect(compaction['content']).toEqual([{ type: 'text', text: 'summary' }]);
    const title = await ask({
      content: '<session>\nhi\n</session>',
      body: { output_config: { format: { type: 'json_schema' } } },
    });
    expect(title.status).toBe(400);
  });

  test('leaving the scope of a server fails if a request was not matched', async () => {
    const scope = async () => {
      await using scoped = await startMessagesApi({ rules: [] });
      api = scoped;
      await ask({ content: 'hi' });
    };
    await expect(scope()).rejects.toThrow('1 request(s) that no rule answers');
  });

  test('a rule that throws is seen', async () => {
    await start(
      when.reply(() => {
        throw new Error('bad rule');
      }),
    );
    expect((await ask({ content: 'hi' })).status).toBe(400);
    expect(() => api.assertAllMatched()).toThrow('bad rule');
  });
});

describe('answers', () => {
  test('stream as the real API does, with the final usage at the end', async () => {
    const call = toolUse({ id: 't1', name: 'Bash', input: { command: 'ls' } });
    const usage = {
      input_tokens: 5,
      output_tokens: 9,
      cache_read_input_tokens: 7,
      output_tokens_details: { thinking_tokens: 3 },
    };
    await start(when.reply(answer([thinking('hm'), text(['a\ud83d', '\ude00']), call], { usage, deltaChars: 10 })));
    const response = await ask({ content: 'hi', stream: true });
    expect(response.headers.get('request-id')).toBe('req_scripted_r1_001');
    const cache_creation = { ephemeral_5m_input_tokens: 0, ephemeral_1h_input_tokens: 0 };
    const startUsage = {
      input_tokens: 5,
      output_tokens: 1,
      cache_read_input_tokens: 7,
      cache_creation,
      service_tier: 'standard',
    };
    expect(await events(response)).toEqual([
      {
        type: 'message_start',
        message: {
          id: 'msg_scripted_r1_001',
          type: 'message',
          role: 'assistant',
          model: 'claude-x',
          content: [],
          stop_reason: null,
          stop_sequence: null,
          usage: startUsage,
        },
      },
      { type: 'ping' },
      { type: 'content_block_start', index: 0, content_block: { type: 'thinking', thinking: '', signature: '' } },
      { type: 'content_block_delta', index: 0, delta: { type: 'thinking_delta', thinking: 'hm' } },
      { type: 'content_block_delta', index: 0, delta: { type: 'signature_delta', signature: 'c2lnbmF0dXJl' } },
      { type: 'content_block_stop', index: 0 },
      { type: 'content_block_start', index: 1, content_block: { type: 'text', text: '' } },
      { type: 'content_block_delta', index: 1, delta: { type: 'text_delta', text: 'a\ud83d' } },
      { type: 'content_block_delta', index: 1, delta: { type: 'text_delta', text: '\ude00' } },
      { type: 'content_block_stop', index: 1 },
      { type: 'content_block_start', index: 2, content_block: { type: 'tool_use', id: 't1', name: 'Bash', input: {} } },
      { type: 'content_block_delta', index: 2, delta: { type: 'input_json_delta', partial_json: '{"command"' } },
      { type: 'content_block_delta', index: 2, delta: { type: 'input_json_delta', partial_json: ':"ls"}' } },
      { type: 'content_block_stop', index: 2 },
      { type: 'message_delta', delta: { stop_reason: 'tool_use', stop_sequence: null }, usage },
      { type: 'message_stop' },
    ]);
    expect(api.calls()).toMatchObject([{ usage, stopReason: 'tool_use', end: 'complete' }]);
  });

  test('come whole when no stream is asked for', async () => {
    await start(when.reply(answer([text('a'), rawBlock({ type: 'redacted_thinking', data: 'x' })])));
    expect(await json(await ask({ content: 'hi' }))).toMatchObject({
      id: 'msg_scripted_r1_001',
      content: [
        { type: 'text', text: 'a' },
        { type: 'redacted_thinking', data: 'x' },
      ],
      stop_reason: 'end_turn',
      usage: { input_tokens: 1200, output_tokens: 42 },
    });
  });

  test('carry the ids and headers they are given', async () => {
    const given = { messageId: 'msg_mine', requestId: 'req_mine', model: 'claude-y', headers: { 'x-one': '1' } };
    await start(when.reply(answer(text('a'), given)));
    const response = await ask({ content: 'hi' });
    expect([response.headers.get('request-id'), response.headers.get('x-one')]).toEqual(['req_mine', '1']);
    expect(await json(response)).toMatchObject({ id: 'msg_mine', model: 'claude-y' });
  });

  test('can be errors with a pause to keep', async () => {
    await start(when.reply(apiError(429, { retryAfter: 3, message: 'Slow down' })));
    const response = await ask({ content: 'hi' });
    expect([response.status, response.headers.get('retry-after')]).toEqual([429, '3']);
    expect(await json(response)).toEqual({
      type: 'error',
      error: { type: 'rate_limit_error', message: 'Slow down' },
      request_id: 'req_scripted_r1_001',
    });
  });

  test('can break off with an error event and have no final usage', async () => {
    await start(when.reply(streamError({ blocks: [text('part')] })));
    const types = (await events(await ask({ content: 'hi', stream: true }))).map((event) => event['type']);
    expect(types).toEqual(['message_start', 'ping', 'content_block_start', 'content_block_delta', 'error']);
    expect(api.calls()[0]).toMatchObject({ end: 'error', startUsage: { output_tokens: 1 } });
    expect(api.calls()[0]).not.toHaveProperty('usage');
  });

  test('can be cut before any byte', async () => {
    await start(when.reply(cut()));
    await expect(ask({ content: 'hi', stream: true })).rejects.toThrow('fetch failed');
    expect(api.calls()[0]).toMatchObject({ end: 'cut' });
    expect(api.calls()[0]).not.toHaveProperty('status');
  });
});

describe('endings', () => {
  test('a hanging answer ends when the client leaves', async () => {
    await start(when.reply(hang({ blocks: [text('part')] })));
    const leaving = new AbortController();
    const response = await fetch(`${api.url}/v1/messages`, {
      method: 'POST',
      body: JSON.stringify({ stream: true, messages: [{ role: 'user', content: 'hi' }] }),
      signal: leaving.signal,
    });
    expect((await api.waitFor((exchange) => exchange.status === 200)).end).toBe('open');
    leaving.abort();
    expect((await api.waitFor((exchange) => exchange.end !== 'open')).end).toBe('clientClosed');
    await expect(response.text()).rejects.toThrow('aborted');
  });

  test('closing ends open answers and whoever waits', async () => {
    await start(when.reply(hang()));
    const hanging = Promise.allSettled([ask({ content: 'hi' })]);
    await api.waitFor(() => true);
    const waiting = Promise.allSettled([api.waitFor((exchange) => exchange.end === 'complete')]);
    await api.close();
    expect(await hanging).toMatchObject([{ status: 'rejected' }]);
    expect(await waiting).toMatchObject([{ reason: new Error('the scripted API was closed') }]);
    expect(api.calls()[0]?.end).toBe('serverClosed');
  });
});

test('tokens are counted and greetings answered without a rule, and neither is a call', async () => {
  await start(when.reply(text('a rule that answers every turn')));
  const counted = await ask({ content: 'hi', path: '/v1/messages/count_tokens?beta=true' });
  expect(await json(counted)).toEqual({ input_tokens: 10 });
  expect((await fetch(`${api.url}/api/hello`, { method: 'HEAD' })).status).toBe(200);
  expect([api.calls().length, api.exchanges.length]).toEqual([0, 2]);
  api.assertAllMatched();
});

test('ids are numbered by rule, so that the order of arrival does not change them', async () => {
  await start(when.lastUserText('a').reply(text('A')), when.lastUserText('b').reply(text('B')));
  for (const content of ['b', 'a', 'b']) await (await ask({ content })).text();
  expect(api.calls().map((call) => call.requestId)).toEqual([
    'req_scripted_r2_001',
    'req_scripted_r1_001',
    'req_scripted_r2_002',
  ]);
});

const absent = recordingsAbsent();

/** What the CLI itself says a call was for, in `query_source_safe` of its span. */
const PURPOSE_OF_SOURCE: Readonly<Record<string, string>> = {
  sdk: 'turn',
  repl_main_thread: 'turn',
  'agent.builtin.general-purpose': 'turn',
  'agent.custom': 'turn',
  compact: 'compaction',
  model_validation: 'validation',
  generate_session_title: 'title',
  web_fetch_apply: 'auxiliary',
};

describe.skipIf(absent !== undefined)(absent ?? 'the purpose of a recorded request', () => {
  test.each(listRecordings(recordingsRoot()))('is what the telemetry of the CLI says: %s', (name) => {
    const { wire, telemetry } = openRecording(name);
    const spans = telemetry.traces.flatMap(({ payload }) => (payload === undefined ? [] : readSpans(payload)));
    const sources = new Map(
      spans.map(({ attributes }) => [attributes['request_id'], asString(attributes['query_source_safe'])]),
    );
    for (const exchange of wire.filter(isMessagesCall)) {
      const source = sources.get(exchange.requestId ?? '');
      if (source === undefined) continue;
      const headers = exchange.headers as Record<string, string>;
      const request = readMessagesRequest({
        method: 'POST',
        url: exchange.url,
        headers,
        body: JSON.stringify(exchange.body),
      });
      expect([source, request.purpose]).toEqual([source, PURPOSE_OF_SOURCE[source]]);
    }
  });
});
