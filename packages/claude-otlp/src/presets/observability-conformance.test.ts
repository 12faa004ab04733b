import { describe } from 'vitest';
import { testPreset } from '../__fixtures__/preset-case.ts';
import { OBSERVABILITY } from '../__fixtures__/preset-cases.ts';

describe.concurrent.each(Object.entries(OBSERVABILITY))('%s', (name, preset) => {
  testPreset(name, preset, 'beside');
});
