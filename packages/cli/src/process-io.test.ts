import { spawnSync } from 'node:child_process';
import { closeSync, existsSync, openSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { expect, test } from 'vitest';

const MAIN = fileURLToPath(new URL('./main.ts', import.meta.url));

/** To this file nothing can be written, as to any on a disk that is full. */
const FULL = '/dev/full';

interface Ended {
  readonly code: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

function run(args: readonly string[], full: 'stdout' | 'stderr'): Ended {
  const disk = openSync(FULL, 'w');
  try {
    const { status, stdout, stderr } = spawnSync(
      process.execPath,
      ['--conditions', '@spanprism/source', '--disable-warning=ExperimentalWarning', MAIN, ...args],
      { stdio: ['ignore', full === 'stdout' ? disk : 'pipe', full === 'stderr' ? disk : 'pipe'], encoding: 'utf8' },
    );
    return { code: status, stdout: stdout ?? '', stderr: stderr ?? '' };
  } finally {
    closeSync(disk);
  }
}

test.skipIf(!existsSync(FULL))(
  'a report that the disk has no room for is told in one line, and in the exit code',
  () => {
    const { code, stderr } = run(['--help'], 'stdout');
    expect(stderr.trimEnd().split('\n')).toEqual([expect.stringMatching(/^spanprism: stdout .*ENOSPC.*; make room/)]);
    expect(code).toBe(74);
  },
);

test.skipIf(!existsSync(FULL))('what cannot be said on stderr changes no exit code', () => {
  expect(run(['nonsense'], 'stderr')).toMatchObject({ code: 2, stdout: '' });
  expect(run(['--version'], 'stderr')).toMatchObject({ code: 0, stdout: expect.stringMatching(/^\d+\.\d+\.\d+\n$/) });
});
