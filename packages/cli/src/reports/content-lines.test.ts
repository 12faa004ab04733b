import { expect, test } from 'vitest';
import { contentText, textLines } from './content-lines.ts';

test('a text is broken at blanks where it can be, within the cells that there are', () => {
  expect(textLines('the quick brown fox', { cells: 10 })).toEqual(['the quick', 'brown fox']);
  expect(textLines('abcdefghij', { cells: 4 })).toEqual(['abcd', 'efgh', 'ij']);
  expect(textLines('日本語です', { cells: 4 })).toEqual(['日本', '語で', 'す']);
  expect(textLines('日本', { cells: 1 })).toEqual(['日', '本']);
});

test('without a terminal no line is broken', () => {
  const long = 'x'.repeat(10_000);
  expect(textLines(`${long}\nb`, { cells: Number.POSITIVE_INFINITY })).toEqual([long, 'b']);
});

test('of a long text both ends are shown, and how much is missing', () => {
  const text = Array.from({ length: 100 }, (_, index) => `line ${index}`).join('\n');
  expect(textLines(text, { cells: 80, lines: 4 })).toEqual([
    'line 0',
    'line 1',
    // 10 × 7 + 90 × 8 - 1 bytes in all, less the four lines around and their breaks.
    '… 759 B more, --full shows all',
    'line 98',
    'line 99',
  ]);
  expect(textLines('a\nb\nc\nd', { cells: 80, lines: 4 })).toEqual(['a', 'b', 'c', 'd']);
});

test('one line of many megabytes is as quick as a short one', () => {
  const lines = textLines(`${'a'.repeat(20_000_000)}end`, { cells: 80, lines: 4 });
  expect(lines).toHaveLength(5);
  expect(lines.at(-1)).toMatch(/^a*end$/);
  expect(textLines('b'.repeat(400_000), { cells: 80 })).toHaveLength(5_000);
});

test('colours of a test run are taken out, breaks of all systems are breaks', () => {
  expect(textLines('\u001b[31mFAIL\u001b[0m\r\none\rtwo\n\n', { cells: 80 })).toEqual(['FAIL', 'one', 'two']);
});

test('content of every shape becomes text', () => {
  expect(contentText('plain')).toBe('plain');
  expect(contentText({ command: 'ls', timeout: 5, edits: ['a'] })).toBe('command: ls\ntimeout: 5\nedits: ["a"]');
  expect(contentText({ script: 'one\ntwo' })).toBe('script:\n  one\n  two');
  expect(contentText([{ type: 'text', text: 'five' }, { type: 'image' }, 'six', null])).toBe(
    'five\n{"type":"image"}\n"six"\nnull',
  );
  expect(contentText(undefined)).toBe('');
  expect(contentText(null)).toBe('null');
});
