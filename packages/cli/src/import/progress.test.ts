import { PassThrough } from 'node:stream';
import { expect, test } from 'vitest';
import { progressOn, sizeText } from './progress.ts';

function shown(stream: PassThrough): string[] {
  return String(stream.read() ?? '').split('\r\u001B[2K');
}

test('a terminal is shown how far it is, in as many steps as it can tell apart, and is left clean', () => {
  const stream = Object.assign(new PassThrough(), { isTTY: true });
  const progress = progressOn({ stream, bytes: 2_000_000, sessions: 2 });
  for (let read = 0; read < 1_000; read += 1) progress.read(1_000);
  progress.session();
  const lines = shown(stream);
  expect(lines.length).toBeLessThan(110);
  expect(lines.at(-1)).toBe(`${'█'.repeat(12)}${'░'.repeat(12)} 50%  1.0 MB of 2.0 MB  1 of 2 sessions`);
  progress.end();
  expect(shown(stream)).toEqual(['', '']);
});

test('what is no terminal is shown nothing', () => {
  const stream = new PassThrough();
  const progress = progressOn({ stream, bytes: 10, sessions: 1 });
  progress.read(10);
  progress.session();
  progress.end();
  expect(stream.read()).toBeNull();
});

test('nothing to read is no division by nothing', () => {
  const stream = Object.assign(new PassThrough(), { isTTY: true });
  progressOn({ stream, bytes: 0, sessions: 1 }).session();
  expect(shown(stream).at(-1)).toContain('100%  0 B of 0 B');
});

test.each([
  [0, '0 B'],
  [999, '999 B'],
  [1_000, '1.0 KB'],
  [176_400, '176 KB'],
  [1_234_000_000, '1.2 GB'],
])('%d bytes are %s', (bytes, text) => {
  expect(sizeText(bytes)).toBe(text);
});
