import zlib from 'node:zlib';
import type { CapturedSpan } from '@spanprism/core';
import { decodeSpan } from '../canonical-json.ts';
import type { Reader } from './reader.ts';

/** Unpacked bodies, of which the last is kept: spans of one run lie side by side. */
export class BodyReader {
  readonly #reader: Reader;
  #body = -1;
  #lines: readonly string[] = [];

  constructor(reader: Reader) {
    this.#reader = reader;
  }

  read(body: number, line: number): CapturedSpan {
    if (body !== this.#body) {
      const row = this.#reader.get<{ readonly lines: Uint8Array }>('SELECT lines FROM body WHERE id = ?', [body]);
      this.#lines = row === undefined ? [] : zlib.zstdDecompressSync(row.lines).toString().split('\n');
      this.#body = body;
    }
    const text = this.#lines[line];
    if (text === undefined) throw new Error('this span is no longer stored: its run has been removed meanwhile');
    return decodeSpan(text);
  }
}
