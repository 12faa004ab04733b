import zlib from 'node:zlib';
import type { CapturedSpan } from '@spanprism/core';
import { decodeSpan } from '../canonical-json.ts';
import type { Reader } from './reader.ts';

/** Where a span is whole, and which it is: its place may be another's by the time that somebody asks. */
export interface SpanPlace {
  readonly body: number;
  readonly line: number;
  readonly spanId: string;
}

/** As many as are read side by side in one run, whose agents work at the same time; a body has a quarter of a megabyte, as a rule. */
const MOST_UNPACKED = 8;

/** Unpacked bodies, of which the last few are kept: spans of one run lie side by side. */
export class BodyReader {
  readonly #reader: Reader;
  /** By id, the one that was unpacked last at the end. */
  readonly #unpacked: Map<number, readonly string[]> = new Map();

  constructor(reader: Reader) {
    this.#reader = reader;
  }

  read(place: SpanPlace): CapturedSpan {
    const span = spanIn(this.#unpacked.get(place.body), place) ?? spanIn(this.#unpack(place.body), place);
    if (span === undefined) throw new Error('this span is no longer stored: its run has been removed meanwhile');
    return span;
  }

  #unpack(body: number): readonly string[] {
    const row = this.#reader.get<{ readonly lines: Uint8Array }>('SELECT lines FROM body WHERE id = ?', [body]);
    const lines = row === undefined ? [] : zlib.zstdDecompressSync(row.lines).toString().split('\n');
    this.#unpacked.delete(body);
    this.#unpacked.set(body, lines);
    const [eldest = body] = this.#unpacked.keys();
    if (this.#unpacked.size > MOST_UNPACKED) this.#unpacked.delete(eldest);
    return lines;
  }
}

function spanIn(lines: readonly string[] | undefined, { line, spanId }: SpanPlace): CapturedSpan | undefined {
  const text = lines?.[line];
  const span = text === undefined ? undefined : decodeSpan(text);
  return span?.spanId === spanId ? span : undefined;
}
