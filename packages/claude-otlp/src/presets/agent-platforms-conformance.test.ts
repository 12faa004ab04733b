import { describe } from 'vitest';
import { testPreset } from '../__fixtures__/preset-case.ts';
import { AGENT_PLATFORMS } from '../__fixtures__/preset-cases.ts';

describe.concurrent.each(Object.entries(AGENT_PLATFORMS))('%s', (name, preset) => {
  testPreset(name, preset, 'beside');
});
