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
  /** How the line of the latest text began, and to which block it belongs. */
  #run: { readonly begin: string; readonly block: OpenBlock } | undefined;
  #isWhole = false;
  #isBroken = false;

  read(text: string): AnswerRead {
    for (let at = text.indexOf('data:'); at !== -1; ) {
      const found = text.indexOf('\n', at);
      const end = found === -1 ? text.length : found;
      // What is called an event says its type once more in its data.
      if (!this.#isMore(text, at, end)) this.#line(text.slice(at + 5, end), found === -1);
      at = found === -1 ? -1 : nextData(text, found);
    }
    const message = this.#message;
    return {
      ...(message === undefined ? {} : { answer: this.#answer(message) }),
      ...given('error', this.#error),
      isBroken: this.#isBroken,
    };
  }

  /** A delta like the one before, but for its text: what makes up most of a stream is not worth parsing line by line. */
  #isMore(text: string, at: number, end: number): boolean {
    const run = this.#run;
    if (run === undefined || !text.startsWith(run.begin, at)) return false;
    const close = text.charCodeAt(end - 1) === CARRIAGE_RETURN ? end - 1 : end;
    if (!text.endsWith(DELTA_END, close)) return false;
    const piece = text.slice(at + run.begin.length, close - DELTA_END.length);
    // Another member may follow, or a quote within; and what JSON does not allow must be seen by its parser.
    if (piece.includes('"')) return false;
    run.block.pieces += piece;
    return true;
  }

  #answer(message: Fields): WireAnswer {
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

  #line(json: string, isLast: boolean): void {
    const data = fieldsOf(parseJson(json));
    // The last line of a stream that was cut is half a line.
    if (data === undefined) this.#isBroken ||= !isLast;
    else {
      this.#event(data);
      this.#run = this.#runOf(data, json);
    }
  }

  #runOf(data: Fields, json: string): { readonly begin: string; readonly block: OpenBlock } | undefined {
    const block = this.#blocks.get(indexOf(data));
    const mark = block === undefined ? -1 : json.indexOf(TEXT_MARK);
    if (block === undefined || mark === -1 || fieldsOf(data['delta'])?.['type'] !== 'text_delta') return undefined;
    return { begin: `data:${json.slice(0, mark + TEXT_MARK.length)}`, block };
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
      settlePieces(block);
      block.text += stringIn(delta, 'text') ?? '';
    } else if (type === 'thinking_delta') block.text += stringIn(delta, 'thinking') ?? '';
    else if (type === 'input_json_delta') block.json += stringIn(delta, 'partial_json') ?? '';
    else block.others.push(delta);
  }
}

const TEXT_MARK = '"type":"text_delta","text":"';
const DELTA_END = '"}}';
const CARRIAGE_RETURN = 0x0d;

/** Pieces of a string's JSON, put together, are that of the whole. */
function settlePieces(block: OpenBlock): void {
  if (block.pieces === '') return;
  const text = parseJson(`"${block.pieces}"`);
  block.text += typeof text === 'string' ? text : block.pieces;
  block.pieces = '';
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
  settlePieces(open);
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
