import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync, statSync, symlinkSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { makeFolder } from './make-folder.ts';

let place: string;
beforeEach(() => {
  place = mkdtempSync(join(tmpdir(), 'spanprism-folder-'));
});
afterEach(() => rmSync(place, { recursive: true, force: true }));

// Windows has no modes.
test.skipIf(process.platform === 'win32')('folders that are missing are made, for their user alone', () => {
  makeFolder(join(place, 'a', 'b'));
  makeFolder(join(place, 'a', 'b'));
  const modes = [join(place, 'a'), join(place, 'a', 'b')].map((path) => statSync(path).mode & 0o777);
  expect(modes).toEqual([0o700, 0o700]);
});

test('a name that is taken by something else is an error', () => {
  symlinkSync(join(place, 'nowhere'), join(place, 'link'));
  expect(() => makeFolder(join(place, 'link'))).toThrow('EEXIST');
});

// In a process of its own: one that tries for ever could not be stopped from within.
test.skipIf(process.platform !== 'linux')('where no folder can be made, that is said (Linux alone has /proc)', () => {
  const file = fileURLToPath(new URL('./make-folder.ts', import.meta.url));
  const program = `import(${JSON.stringify(file)}).then(({ makeFolder }) => makeFolder('/proc/nobody/a/b'))
    .catch(({ code }) => console.log(code));`;
  const { stdout } = spawnSync(process.execPath, ['--experimental-strip-types', '-e', program], {
    encoding: 'utf8',
    timeout: 20_000,
  });
  expect(stdout).toBe('ENOENT\n');
});
