import { expect, test } from 'vitest';
import { Guarded } from './guard.ts';

function told(thrown: unknown): string[] {
  const lines: string[] = [];
  const guarded = new Guarded((_, line) => lines.push(line));
  const fail = (): void => {
    throw thrown;
  };
  guarded.run('sink x', fail);
  guarded.run('sink x', fail);
  expect(guarded.caught).toBe(2);
  return lines;
}

const BEGINNING = 'sink x failed and was left out of the trace (further failures of it are counted only): ';

test('a fault is told once, with the name and the message of the error', () => {
  expect(told(new TypeError('no such field'))).toEqual([`${BEGINNING}TypeError: no such field`]);
});

test('of a message that quotes content only the first line is told, without its secrets and cut', () => {
  // The key of an example in the vendor's own format.
  const key = `sk-ant-api03-${'a1'.repeat(40)}`;
  const message = `cannot write "${key}" \u001B[2J${'x'.repeat(400)}\nthe second line of the prompt`;
  const beginning = 'Error: cannot write "[redacted: anthropic key]"  [2J';
  expect(told(new Error(message))).toEqual([BEGINNING + beginning.padEnd(200, 'x')]);
});

test('a key at the edge of what is told is not cut into something unrecognizable', () => {
  const message = `${'x'.repeat(170)} sk-ant-api03-${'a1'.repeat(40)}`;
  expect(told(new Error(message))[0]).not.toContain('sk-ant');
});

test('of what is no error only the kind is told', () => {
  expect(told('the whole prompt')).toEqual([`${BEGINNING}string`]);
});
