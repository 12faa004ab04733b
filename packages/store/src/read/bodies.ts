import { zstdDecompressSync } from 'node:zlib';
import type { CapturedSpan } from '@spanprism/core';
import { decodeSpan } from '../canonical-json.ts';
import type { Database, Statement } from '../sqlite.ts';

/** Unpacked bodies, of which the last is kept: spans of one run lie side by side. */
export class BodyReader {
  readonly #select: Statement;
  #body = -1;
  #lines: readonly string[] = [];

  constructor(database: Database) {
    this.#select = database.prepare('SELECT lines FROM body WHERE id = ?');
  }

  read(body: number, line: number): CapturedSpan {
    if (body !== this.#body) {
      const row = this.#select.get(body) as { readonly lines: Uint8Array } | undefined;
      this.#lines = row === undefined ? [] : zstdDecompressSync(row.lines).toString().split('\n');
      this.#body = body;
    }
    const text = this.#lines[line];
    if (text === undefined) throw new Error('this span is no longer stored: its run has been removed meanwhile');
    return decodeSpan(text);
  }
}
