import { describe } from 'vitest';
import { testPreset } from '../__fixtures__/preset-case.ts';
import { ALL } from '../__fixtures__/preset-cases.ts';

describe.each(Object.entries(ALL))('%s', (name, preset) => {
  testPreset(name, preset, 'alone');
});
