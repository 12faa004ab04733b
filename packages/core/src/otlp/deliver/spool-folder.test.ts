import {
  chmodSync,
  linkSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import { secureFolder } from './spool-folder.ts';
import { recordHeader } from './spool-frames.ts';
import { openSpool } from './spool.ts';
import type { Spool } from './spool.ts';

let directory = '';
let lines: string[] = [];
beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), 'spool-'));
  lines = [];
});
afterEach(() => {
  vi.restoreAllMocks();
  rmSync(directory, { recursive: true });
});

function spoolIn(under: string): Spool {
  return openSpool(
    { directory: under },
    {
      name: 'otlp',
      url: new URL('https://host.example/v1/traces'),
      now: Date.now,
      dropped: () => undefined,
      complain: (_, line) => lines.push(line),
    },
  );
}

const record = Buffer.from('a record');
const frame = Buffer.concat([recordHeader(record), record]);

/** The folder that a spool of this endpoint uses, as anybody can foretell. */
function folderOf(under: string): string {
  const probe = join(directory, 'probe');
  spoolIn(probe).append(record);
  const [name = ''] = readdirSync(probe);
  return join(under, name);
}

const modeOf = (path: string): number => statSync(path).mode & 0o777;

describe.skipIf(process.geteuid === undefined)('on a system with owners and modes', () => {
  test('a symlink in the place of the folder is refused, and what it points to stays as it was', () => {
    const home = join(directory, 'home');
    mkdirSync(home, { mode: 0o755 });
    chmodSync(home, 0o755);
    const shared = join(directory, 'shared');
    mkdirSync(shared);
    symlinkSync(home, folderOf(shared));
    const spool = spoolIn(shared);
    expect(spool.append(record)).toBeUndefined();
    expect(spool.append(record)).toBeUndefined();
    expect(spool.hasBacklog()).toBe(false);
    spool.release();
    expect(modeOf(home)).toBe(0o755);
    expect(readdirSync(home)).toEqual([]);
    expect(lines).toEqual([expect.stringMatching(/^cannot use the spool .*: it is not a directory\./)]);
  });

  test('a folder of another user is refused', () => {
    const folder = folderOf(directory);
    mkdirSync(folder, { mode: 0o755 });
    chmodSync(folder, 0o755);
    vi.spyOn(process, 'geteuid').mockReturnValue(statSync(folder).uid + 1);
    expect(() => secureFolder(folder)).toThrow('belongs to another user');
    const spool = spoolIn(directory);
    expect(spool.append(record)).toBeUndefined();
    expect([modeOf(folder), readdirSync(folder), lines.length]).toEqual([0o755, [], 1]);
  });

  test('an own folder that others could write to becomes private', () => {
    const folder = folderOf(directory);
    mkdirSync(folder);
    chmodSync(folder, 0o777);
    expect(spoolIn(directory).append(record)).toBeDefined();
    expect([modeOf(folder), lines]).toEqual([0o700, []]);
  });

  test.each([
    ['symlinks', symlinkSync],
    ['hard links', linkSync],
  ])('%s under the name of a segment are neither sent nor touched', async (_, plant) => {
    const folder = folderOf(directory);
    mkdirSync(folder);
    const secret = join(directory, 'private');
    writeFileSync(secret, Buffer.concat([frame, Buffer.from('torn')]));
    plant(secret, join(folder, '1767225600000-planted.free.spool1'));
    const spool = spoolIn(directory);
    expect(spool.hasBacklog()).toBe(false);
    expect(await spool.load()).toEqual([]);
    expect(readFileSync(secret).subarray(-4).toString()).toBe('torn');
  });

  test('a segment that turns into a symlink is neither read nor written', async () => {
    const folder = folderOf(directory);
    const spool = spoolIn(directory);
    const ref = spool.append(record);
    const other = spool.append(record);
    if (ref === undefined || other === undefined) throw new Error('not written');
    const [segment = ''] = readdirSync(folder).map((file) => join(folder, file));
    const elsewhere = join(directory, 'elsewhere');
    renameSync(segment, elsewhere);
    symlinkSync(elsewhere, segment);
    spool.settle([ref]);
    expect(readFileSync(elsewhere)).toEqual(Buffer.concat([frame, frame]));
    spool.park(other);
    expect(await spool.load()).toEqual([]);
    expect(lines).toEqual([expect.stringMatching(/^cannot write to the spool/)]);
  });
});
