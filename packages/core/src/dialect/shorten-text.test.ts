import { expect, test } from 'vitest';
import { shortenText } from './shorten-text.ts';

const bytes = (text: string): number => Buffer.byteLength(text);

test('what fits stays as it is, to the byte', () => {
  expect(shortenText('äöü', 6)).toBe('äöü');
  expect(shortenText('{"a":1}', 7)).toBe('{"a":1}');
});

test('a text is cut between characters, and shows it', () => {
  expect(shortenText('Zwölf Boxkämpfer', 8)).toBe('Zwöl…');
  expect(shortenText('😀😀😀', 8)).toBe('😀…');
  expect(shortenText('abcdef', 2)).toBe('ab');
});

test('of a list of messages the last ones stay whole, as many as fit', () => {
  const messages = ['one', 'two', 'three', 'four'].map((content) => ({ role: 'user', content }));
  const wanted = JSON.stringify(messages.slice(2));
  expect(shortenText(JSON.stringify(messages), bytes(wanted))).toBe(wanted);
});

test('JSON with a long text stays JSON, and most of the room is used', () => {
  for (const max of [100, 2048, 50_000]) {
    const short = shortenText(JSON.stringify({ role: 'user', parts: [{ content: 'ü"\n'.repeat(100_000) }] }), max);
    expect(JSON.parse(short)).toMatchObject({ role: 'user', parts: [{ content: expect.stringMatching(/…$/) }] });
    expect(bytes(short)).toBeLessThanOrEqual(max);
    expect(bytes(short)).toBeGreaterThan(max / 2);
  }
});

test('JSON that is long without long texts is still JSON', () => {
  const short = shortenText(
    JSON.stringify(Object.fromEntries(Array.from({ length: 1000 }, (_, index) => [`key${index}`, index]))),
    200,
  );
  expect(typeof JSON.parse(short)).toBe('string');
  expect(bytes(short)).toBeLessThanOrEqual(200);
});

test('what only looks like JSON is cut as any text', () => {
  expect(shortenText('[ERROR] it broke, and at length', 12)).toBe('[ERROR] i…');
});
