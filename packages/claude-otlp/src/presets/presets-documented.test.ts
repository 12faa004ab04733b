import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { ALL } from '../__fixtures__/preset-cases.ts';

const readme = readFileSync(join(import.meta.dirname, '../../README.md'), 'utf8');
const sources = readdirSync(import.meta.dirname).filter((file) => !file.endsWith('.test.ts'));

test.each(Object.keys(ALL))('%s is in the table of the readme', (name) => {
  expect(readme).toMatch(new RegExp(`^\\|.*\`${name}\``, 'm'));
});

test.each(sources)('every variable that %s reads is in the readme', (file) => {
  const source = readFileSync(join(import.meta.dirname, file), 'utf8');
  const read = [...source.matchAll(/env: \[([^\]]+)\]/g)].flatMap(([, list = '']) => [...list.matchAll(/'(\w+)'/g)]);
  expect(read.map(([, name]) => name).filter((name) => !readme.includes(`\`${name}\``))).toEqual([]);
});
