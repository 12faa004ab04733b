import { expect, test } from 'vitest';
import type { Ending } from './child.ts';
import { endedBy } from './ended-by.ts';

test.each<[Partial<Ending>, ReturnType<typeof endedBy>]>([
  [{ code: 0 }, 'process-gone'],
  [{ code: 1 }, 'process-gone'],
  // signal(7): 128 + 1, 2 and 15.
  [{ code: 129 }, 'abort'],
  [{ code: 130 }, 'interrupt'],
  [{ code: 143 }, 'abort'],
  [{ code: 143, asked: 'SIGTERM' }, 'abort'],
  [{ code: 0, asked: 'SIGINT' }, 'interrupt'],
  [{ code: 0, asked: 'SIGTERM' }, 'abort'],
  [{ code: 0, asked: 'SIGUSR2' }, 'process-gone'],
  [{ signal: 'SIGINT' }, 'interrupt'],
  [{ signal: 'SIGKILL' }, 'abort'],
  [{ signal: 'SIGQUIT' }, 'abort'],
  [{ signal: 'SIGKILL', asked: 'SIGTERM' }, 'abort'],
  [{ signal: 'SIGSEGV' }, 'process-gone'],
  [{ signal: 'SIGABRT', asked: 'SIGINT' }, 'process-gone'],
])('a claude that ended with %o', (ending, by) => {
  expect(endedBy({ code: null, signal: null, ...ending })).toBe(by);
});
