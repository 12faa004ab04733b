import { closeSync, mkdtempSync, openSync, rmSync, writeSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { toLineStart } from './line-start.ts';

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'spanprism-line-'));
});
afterEach(() => rmSync(folder, { recursive: true }));

function streamAt(fields: object): NodeJS.WritableStream {
  return fields as NodeJS.WritableStream;
}

test.skipIf(process.platform !== 'linux').each([
  ['ends within a line', 'Error: Reached max turns (1)', '\n'],
  ['ends with a line', 'hello\n', ''],
  ['is empty', '', ''],
])('of a file that %s, a line of ours begins at the beginning of one', (_name, written, expected) => {
  const fd = openSync(join(folder, 'log'), 'w');
  writeSync(fd, written);
  expect(toLineStart(streamAt({ fd }))).toBe(expected);
  closeSync(fd);
});

test('a terminal is told what fills a line, and goes back to the beginning of the one that it is in then', () => {
  expect(toLineStart(streamAt({ isTTY: true, columns: 7, fd: 2 }))).toBe('       \r');
  expect(toLineStart(streamAt({ isTTY: true, fd: 2 }))).toBe('');
});

test('what nothing is known of is left as it is', () => {
  expect(toLineStart(streamAt({}))).toBe('');
  expect(toLineStart(streamAt({ fd: 1_000_000 }))).toBe('');
});
