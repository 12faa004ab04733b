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

/** Unpacked bodies, of which the last is kept: spans of one run lie side by side. */
export class BodyReader {
  readonly #reader: Reader;
  #body = -1;
  #lines: readonly string[] = [];

  constructor(reader: Reader) {
    this.#reader = reader;
  }

  read(place: SpanPlace): CapturedSpan {
    const span = this.#spanAt(place) ?? this.#spanAt(place, 'anew');
    if (span === undefined) throw new Error('this span is no longer stored: its run has been removed meanwhile');
    return span;
  }

  #spanAt({ body, line, spanId }: SpanPlace, how?: 'anew'): CapturedSpan | undefined {
    if (body !== this.#body || how === 'anew') this.#unpack(body);
    const text = this.#lines[line];
    const span = text === undefined ? undefined : decodeSpan(text);
    return span?.spanId === spanId ? span : undefined;
  }

  #unpack(body: number): void {
    const row = this.#reader.get<{ readonly lines: Uint8Array }>('SELECT lines FROM body WHERE id = ?', [body]);
    this.#lines = row === undefined ? [] : zlib.zstdDecompressSync(row.lines).toString().split('\n');
    this.#body = body;
  }
}
