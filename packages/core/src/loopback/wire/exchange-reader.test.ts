import zlib from 'node:zlib';
import { describe, expect, test } from 'vitest';
import { streamOf } from './__fixtures__/messages-server.ts';
import { ExchangeReader } from './exchange-reader.ts';
import type { WireExchange } from './wire-exchange.ts';
import type { PassedAnswer, PassedExchange } from './wire-protocol.ts';

interface Said {
  readonly body?: string | Buffer;
  readonly answer?: Partial<PassedAnswer> | string;
  readonly agentId?: string;
  readonly end?: PassedExchange['end'];
}

function passed({ body = '{}', answer, agentId, end = 'complete' }: Said): PassedExchange {
  const given = typeof answer === 'string' ? { body: Buffer.from(answer) } : answer;
  return {
    token: 'token',
    number: 0,
    request: {
      ...(agentId === undefined ? {} : { agentId }),
      body: Buffer.from(body),
      isComplete: true,
    },
    ...(given === undefined
      ? {}
      : { answer: { status: 200, contentType: 'text/event-stream', body: new Uint8Array(), ...given } }),
    end,
    startedAt: 1,
    endedAt: 2,
    wasThinned: false,
  };
}

const user = (text: string, isMarked = false) => ({
  role: 'user',
  content: [{ type: 'text', text, ...(isMarked ? { cache_control: { type: 'ephemeral' } } : {}) }],
});
const said = (text: string) => ({ role: 'assistant', content: [{ type: 'text', text }] });
const requestOf = (messages: readonly unknown[], more: object = {}): string =>
  JSON.stringify({
    model: 'm',
    messages,
    system: [{ type: 'text', text: 'be good' }],
    tools: [{ name: 'T' }],
    ...more,
  });

function readAll(...bodies: readonly string[]): WireExchange['request'][] {
  const reader = new ExchangeReader();
  return bodies.map((body) => reader.read(passed({ body })).request);
}

describe('a conversation', () => {
  test('is told by what each request has that the one before had not', () => {
    const first = 'a first question that is long enough to be known again '.repeat(3);
    const requests = readAll(
      requestOf([user(first, true)]),
      requestOf([user(first), said('answer'), user('next', true)]),
      requestOf([user(first), said('answer'), user('next'), said('more'), user('last', true)]),
    );
    expect(requests.map(({ messages }) => messages)).toEqual([
      [user(first, true)],
      [said('answer'), user('next', true)],
      [said('more'), user('last', true)],
    ]);
    expect(requests.map(({ isFirst, isRepeated }) => [isFirst, isRepeated])).toEqual([
      [true, false],
      [false, false],
      [false, false],
    ]);
    expect(requests.map(({ system, tools }) => [system !== undefined, tools !== undefined])).toEqual([
      [true, true],
      [false, false],
      [false, false],
    ]);
  });

  test('that is asked again unchanged is repeated, also with other reminders around the same words', () => {
    const question = requestOf([user('hi', true)], { max_tokens: 5 });
    const again = requestOf([{ role: 'user', content: [...user('a reminder').content, ...user('hi', true).content] }]);
    expect(readAll(question, question, again).map(({ isRepeated }) => isRepeated)).toEqual([false, true, true]);
  });

  test('shows instructions and tools again when they change', () => {
    const messages = [user('hi')];
    const [, second] = readAll(requestOf(messages), requestOf(messages, { tools: [{ name: 'T' }, { name: 'U' }] }));
    expect(second?.tools).toEqual([{ name: 'T' }, { name: 'U' }]);
    expect(second?.system).toBeUndefined();
  });

  test('of each agent is its own', () => {
    const reader = new ExchangeReader();
    const body = requestOf([user('the same words for both of them, as they are long')]);
    const [main, sub] = [passed({ body }), passed({ body, agentId: 'a1' })].map((one) => reader.read(one));
    expect([main?.request.isFirst, sub?.request.isFirst]).toEqual([true, true]);
    reader.release('token');
    expect(reader.read(passed({ body })).request.isFirst).toBe(true);
  });

  test('is read right however bodies are edited', () => {
    let seed = 7;
    const random = (below: number): number => {
      seed = (seed * 1_103_515_245 + 12_345) % 2 ** 31;
      return seed % below;
    };
    const texts = [
      'plain',
      'quo"te',
      'back\\slash\\',
      'br{ac}e[s]',
      '\u2028 ünï 🎉',
      '',
      '{"role":"user"}',
      'x'.repeat(20_000),
    ];
    const text = (): string => texts[random(texts.length)] ?? '';
    const reader = new ExchangeReader();
    let messages: object[] = [user(`start ${text()}`)];
    for (let turn = 0; turn < 400; turn++) {
      const change = random(10);
      if (change < 7) messages = [...messages, said(text()), user(text(), random(2) === 0)];
      else if (change === 7)
        messages = messages.map((message, at) => (at === random(messages.length) ? user(text()) : message));
      else if (change === 8) messages = messages.slice(0, 1 + random(messages.length));
      else messages = [user(`another start ${text()}`)];
      const body = requestOf(messages, {
        tools: [{ name: text(), input_schema: { a: [{}, [], text()] } }],
        max_tokens: random(9) + 2,
      });
      const { request } = reader.read(passed({ body }));
      expect(request.unreadable).toBeUndefined();
      // Whatever is called new is the end of what was sent.
      expect(request.messages).toEqual(messages.slice(messages.length - request.messages.length));
      expect(request.isFirst && request.messages.length !== messages.length).toBe(false);
    }
  });
});

describe('what a request is for', () => {
  test.each([
    ['turn', requestOf([user('hello')])],
    ['validation', requestOf([user('hi')], { max_tokens: 1 })],
    ['title', requestOf([user('hi')], { output_config: { format: { type: 'json_schema' } } })],
    ['compaction', requestOf([user('talk'), user('CRITICAL: Respond with TEXT ONLY. Do not')])],
    ['other', requestOf([user('\nWeb page content:\n---')])],
    ['other', requestOf([user('search')], { tools: [{ type: 'web_search_20250305', name: 'web_search' }] })],
  ])('%s', (purpose, body) => {
    expect(readAll(body)[0]?.purpose).toBe(purpose);
  });
});

describe('what nobody understands', () => {
  test.each([
    'not JSON',
    '{"messages":[',
    '{"messages":[{"role":"user"}',
    '[]',
    '"text"',
    '{"a":1}garbage"',
    '{"a" 1}',
  ])('is kept as it was: %s', (body) => {
    const read = new ExchangeReader().read(passed({ body, answer: streamOf(1) }));
    expect(read.answer?.stopReason).toBe('end_turn');
    expect(read.request.unreadable ?? body).toBe(body);
  });

  test('are blocks, deltas and events of another day', () => {
    const events = [
      { type: 'message_start', message: { id: 'msg_1', model: 'm', usage: { input_tokens: 1 } } },
      { type: 'content_block_start', index: 0, content_block: { type: 'hologram', depth: 3 } },
      { type: 'content_block_delta', index: 0, delta: { type: 'beam', light: 1 } },
      { type: 'content_block_start', index: 1, content_block: { type: 'tool_use', id: 't', name: 'T', input: {} } },
      { type: 'content_block_delta', index: 1, delta: { type: 'input_json_delta', partial_json: '{"a":' } },
      { type: 'content_block_delta', index: 1, delta: { type: 'input_json_delta', partial_json: '"\\ud83c\\udf89"}' } },
      { type: 'aurora' },
      { type: 'message_delta', delta: { stop_reason: 'tool_use' }, usage: { output_tokens: 9 } },
      { type: 'message_stop' },
    ];
    const answer = events.map((event) => `data: ${JSON.stringify(event)}\r\n\r\n`).join(': a comment\n');
    expect(new ExchangeReader().read(passed({ answer })).answer).toEqual({
      messageId: 'msg_1',
      model: 'm',
      blocks: [
        { type: 'hologram', depth: 3, deltas: [{ type: 'beam', light: 1 }] },
        { type: 'tool_use', id: 't', name: 'T', input: { a: '🎉' } },
      ],
      startUsage: { input_tokens: 1 },
      usage: { input_tokens: 1, output_tokens: 9 },
      stopReason: 'tool_use',
      isStream: true,
      isWhole: true,
    });
  });
});

describe('an answer', () => {
  const texts = ['He said \\"no\\"', 'tail\\\\', '\\ud83c', '\\udf89', 'ünï 🎉', '\\n'];
  const stream = [
    'event: message_start\ndata: {"type":"message_start","message":{"id":"msg_1","model":"m"}}\n\n',
    'data: {"type":"content_block_start","index":0,"content_block":{"type":"text","text":""}}\n\n',
    ...[...texts, ...texts].map(
      (text) =>
        `event: content_block_delta\ndata: {"type":"content_block_delta","index":0,"delta":{"type":"text_delta","text":"${text}"}}\n\n`,
    ),
    'data: {"type":"content_block_delta","index":0,"delta":{"type":"text_delta","text":"end","more":"x"}}\n\n',
    'data: {"type":"message_stop"}\n\n',
  ].join('');
  const whole = `${(JSON.parse(`"${texts.join('')}"`) as string).repeat(2)}end`;

  test('has the text of all its deltas, whatever stands in them', () => {
    const { answer, gaps } = new ExchangeReader().read(passed({ answer: stream }));
    expect(answer?.blocks).toEqual([{ type: 'text', text: whole }]);
    expect(gaps).toEqual([]);
  });

  test('of which a piece in the middle is no JSON is told as it stands, and that it is broken', () => {
    const delta = (text: string): string =>
      `data: {"type":"content_block_delta","index":0,"delta":{"type":"text_delta","text":"${text}"}}\n\n`;
    const [start = '', block = ''] = stream.split(/(?<=\n\n)/);
    const odd = [start, block, ...['one ', 'two\\q ', 'three'].map(delta)].join('');
    const { answer, gaps } = new ExchangeReader().read(passed({ answer: odd }));
    expect(answer?.blocks).toEqual([{ type: 'text', text: 'one two\\q three' }]);
    expect(gaps).toEqual(['answer']);
  });

  test('that was cut is told as far as it came, wherever that was', () => {
    const reader = new ExchangeReader();
    for (let at = 0; at < stream.length - 3; at += 7) {
      const { answer, gaps } = reader.read(passed({ answer: stream.slice(0, at), end: 'cut' }));
      expect(gaps).toEqual([]);
      if (answer === undefined) continue;
      expect(answer.isWhole).toBe(false);
      const [block] = answer.blocks as { text: string }[];
      expect(whole.startsWith((block?.text ?? '').replace(/\ud83c$/, ''))).toBe(true);
    }
  });

  const packed: [encoding: string, body: Buffer][] = [
    ['gzip', zlib.gzipSync(stream)],
    ['deflate', zlib.deflateSync(stream)],
    ['br', zlib.brotliCompressSync(stream)],
  ];
  // Node has it from 22.15 on.
  if ('zstdCompressSync' in zlib) packed.push(['zstd', zlib.zstdCompressSync(stream)]);
  test.each(packed)('that is packed is unpacked: %s', (contentEncoding, body) => {
    const reader = new ExchangeReader();
    expect(reader.read(passed({ answer: { body, contentEncoding } })).answer?.blocks).toEqual([
      { type: 'text', text: whole },
    ]);
    const cut = reader.read(passed({ answer: { body: body.subarray(0, -12), contentEncoding }, end: 'cut' }));
    expect(cut.answer?.isWhole ?? false).toBe(contentEncoding === 'deflate' ? cut.answer?.isWhole : false);
    const odd = reader.read(passed({ answer: { body: Buffer.from('garbage'), contentEncoding } }));
    expect(odd).toMatchObject({ gaps: ['answer'] });
  });

  test('in one piece, and an error, are read too', () => {
    const reader = new ExchangeReader();
    const json = (value: object): Partial<PassedAnswer> => ({
      contentType: 'application/json',
      body: Buffer.from(JSON.stringify(value)),
    });
    const message = {
      id: 'msg_1',
      model: 'm',
      content: [{ type: 'text', text: 'a' }],
      stop_reason: 'end_turn',
      usage: { input_tokens: 1 },
    };
    expect(reader.read(passed({ answer: json(message) })).answer).toMatchObject({
      messageId: 'msg_1',
      isStream: false,
      isWhole: true,
    });
    const error = { type: 'error', error: { type: 'overloaded_error', message: 'Overloaded' } };
    expect(reader.read(passed({ answer: { ...json(error), status: 529 } }))).toMatchObject({
      status: 529,
      error: error.error,
    });
    const within = `data: ${JSON.stringify({ type: 'message_start', message: { id: 'msg_1' } })}\n\ndata: ${JSON.stringify(error)}\n\n`;
    expect(reader.read(passed({ answer: within }))).toMatchObject({ error: error.error, answer: { isWhole: false } });
  });
});
