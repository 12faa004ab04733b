import { given } from '../../model/given.ts';
import { fieldsOf, type Fields, parseJson, stringIn } from './fields.ts';
import type { WireAnswer } from './wire-exchange.ts';

/** What the body of an answer says. */
export interface AnswerRead {
  readonly answer?: WireAnswer;
  readonly error?: { readonly type: string; readonly message: string };
  /** Part of it is not what it says it is. */
  readonly isBroken: boolean;
}

export function readAnswer(body: Buffer, contentType: string | undefined): AnswerRead {
  const isStream = contentType?.toLowerCase().startsWith('text/event-stream') === true;
  if (isStream) return new StreamReader().read(body.toString('utf8', 0, body.length));
  const message = fieldsOf(parseJson(body.toString('utf8', 0, body.length)));
  if (message === undefined) return { isBroken: body.length > 0 };
  const error = errorIn(message);
  if (error !== undefined) return { error, isBroken: false };
  return {
    answer: {
      ...given('messageId', stringIn(message, 'id')),
      ...given('model', stringIn(message, 'model')),
      blocks: Array.isArray(message['content']) ? message['content'] : [],
      ...given('usage', message['usage']),
      ...given('stopReason', stringIn(message, 'stop_reason')),
      isStream: false,
      isWhole: true,
    },
    isBroken: false,
  };
}

function errorIn(data: Fields): AnswerRead['error'] {
  const error = fieldsOf(data['error']);
  if (error === undefined) return undefined;
  return { type: stringIn(error, 'type') ?? 'api_error', message: stringIn(error, 'message') ?? 'API error' };
}

/** A block while its deltas come. */
interface OpenBlock {
  readonly start: Fields;
  text: string;
  /** Text as it stands in JSON, not yet read. */
  pieces: string;
  json: string;
  readonly others: unknown[];
}

/** https://docs.claude.com/en/docs/build-with-claude/streaming */
class StreamReader {
  readonly #blocks: Map<number, OpenBlock> = new Map();
  #message: Fields | undefined;
  #usage: unknown;
  #stopReason: string | undefined;
  #error: AnswerRead['error'];
  #isWhole = false;
  #isBroken = false;

  read(text: string): AnswerRead {
    for (let at = text.indexOf('data:'); at !== -1; ) {
      const found = text.indexOf('\n', at);
      const end = found === -1 ? text.length : found;
      // What is called an event says its type once more in its data.
      const line = text.slice(at, end);
      const data = this.#line(line.slice('data:'.length), found === -1);
      const last = data === undefined || found === -1 ? end : this.#alike(text, { at, line, data });
      at = found === -1 ? -1 : nextData(text, last);
    }
    const message = this.#message;
    return {
      ...(message === undefined ? {} : { answer: this.#answer(message) }),
      ...given('error', this.#error),
      isBroken: this.#isBroken,
    };
  }

  /**
   * Deltas that differ in their text alone are what most of a stream is made of. They are found by what stands between two texts, and
   * not parsed line by line, but for the first and the last. Returns from where to look for the next line.
   */
  #alike(text: string, { at, line, data }: DataLine): number {
    const block = this.#blocks.get(indexOf(data));
    const mark = line.indexOf(TEXT_MARK);
    const close = line.lastIndexOf(DELTA_END);
    const next = nextData(text, at + line.length);
    const begin = line.slice(0, mark + TEXT_MARK.length);
    if (block === undefined || mark === -1 || close === -1 || next === -1) return at + line.length;
    if (!isTextDelta(data) || !text.startsWith(begin, next)) return at + line.length;
    const between = text.slice(at + close, next + begin.length);
    for (let start = next + begin.length, before = at + close; ; ) {
      const end = text.indexOf(between, start);
      const piece = end === -1 ? QUOTE : text.slice(start, end);
      // A quote within, or in another event that lies between: that is for the parser.
      if (piece.includes(QUOTE)) return before;
      block.pieces += piece;
      before = end;
      start = end + between.length;
    }
  }

  #answer(message: Fields): WireAnswer {
    for (const block of this.#blocks.values()) this.#settle(block);
    return {
      ...given('messageId', stringIn(message, 'id')),
      ...given('model', stringIn(message, 'model')),
      blocks: [...this.#blocks].toSorted(([a], [b]) => a - b).map(([, block]) => closed(block)),
      ...given('startUsage', message['usage']),
      ...given('usage', this.#usage),
      ...given('stopReason', this.#stopReason),
      isStream: true,
      isWhole: this.#isWhole,
    };
  }

  #line(json: string, isLast: boolean): Fields | undefined {
    const data = fieldsOf(parseJson(json));
    // The last line of a stream that was cut is half a line.
    if (data === undefined) this.#isBroken ||= !isLast;
    else this.#event(data);
    return data;
  }

  #event(data: Fields): void {
    switch (data['type']) {
      case 'content_block_delta':
        return this.#delta(data);
      case 'content_block_start': {
        const start = fieldsOf(data['content_block']);
        if (start !== undefined) this.#blocks.set(indexOf(data), { start, text: '', pieces: '', json: '', others: [] });
        return;
      }
      case 'message_start':
        this.#message ??= fieldsOf(data['message']);
        return;
      case 'message_delta':
        // It completes the figures of the start, which not every server repeats in it.
        this.#usage = { ...fieldsOf(this.#message?.['usage']), ...fieldsOf(data['usage']) };
        this.#stopReason = stringIn(fieldsOf(data['delta']), 'stop_reason') ?? this.#stopReason;
        return;
      case 'message_stop':
        this.#isWhole = true;
        return;
      case 'error':
        this.#error = errorIn(data);
    }
  }

  #delta(data: Fields): void {
    const block = this.#blocks.get(indexOf(data));
    const delta = fieldsOf(data['delta']);
    if (block === undefined || delta === undefined) return;
    const { type } = delta;
    if (type === 'text_delta') {
      this.#settle(block);
      block.text += stringIn(delta, 'text') ?? '';
    } else if (type === 'thinking_delta') block.text += stringIn(delta, 'thinking') ?? '';
    else if (type === 'input_json_delta') block.json += stringIn(delta, 'partial_json') ?? '';
    else block.others.push(delta);
  }

  /** Pieces of a string's JSON, put together, are that of the whole. */
  #settle(block: OpenBlock): void {
    if (block.pieces === '') return;
    const text = parseJson(`"${block.pieces}"`);
    this.#isBroken ||= typeof text !== 'string';
    block.text += typeof text === 'string' ? text : block.pieces;
    block.pieces = '';
  }
}

interface DataLine {
  readonly at: number;
  readonly line: string;
  readonly data: Fields;
}

const TEXT_MARK = '"type":"text_delta","text":"';
const DELTA_END = '"}}';
const QUOTE = '"';

function isTextDelta({ delta }: Fields): boolean {
  return fieldsOf(delta)?.['type'] === 'text_delta';
}

function nextData(text: string, from: number): number {
  const at = text.indexOf('\ndata:', from);
  return at === -1 ? -1 : at + 1;
}

function indexOf(data: Fields): number {
  const index = data['index'];
  return typeof index === 'number' ? index : -1;
}

/** The block as an answer that does not stream would have it; deltas that nobody knows stay beside it. */
function closed(open: OpenBlock): unknown {
  const { start, text, json, others } = open;
  const block: Record<string, unknown> = { ...start };
  if (text !== '') {
    const name = start['type'] === 'thinking' ? 'thinking' : 'text';
    block[name] = `${stringIn(start, name) ?? ''}${text}`;
  }
  // Cut in the middle, it is shown as far as it came.
  if (json !== '') block['input'] = parseJson(json) ?? json;
  for (const delta of others) {
    const signature = stringIn(fieldsOf(delta), 'signature');
    if (signature !== undefined) block['signature'] = signature;
    else block['deltas'] = [...((block['deltas'] as unknown[] | undefined) ?? []), delta];
  }
  return block;
}
