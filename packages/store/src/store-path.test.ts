import { expect, test, vi } from 'vitest';
import { defaultStorePath } from './store-path.ts';

test('who has no home folder is told to name a file, and gets none in the folder that he happens to be in', () => {
  vi.stubEnv('HOME', '');
  expect(() => defaultStorePath({})).toThrow(
    'there is no home folder to keep the store in; set HOME, or name a file by SPANPRISM_STORE',
  );
  expect(() => defaultStorePath({ HOME: '' })).toThrow('there is no home folder');
  expect(defaultStorePath({ SPANPRISM_STORE: '/a/b.db' })).toBe('/a/b.db');
  vi.unstubAllEnvs();
});
