import { chmod, copyFile, mkdtemp, readdir, readFile, rm, stat, truncate, utimes, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { thisOwner } from '@spanprism/core/receive';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { FORWARDED } from './frames.ts';
import { RequestSpool, type RequestSpoolOptions, SpoolFull } from './request-spool.ts';

let folder: string;
const open: RequestSpool[] = [];
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'spanprism-spool-'));
});
afterEach(async () => {
  for (const spool of open.splice(0)) await spool.close();
  await rm(folder, { recursive: true, force: true });
});

async function opened(options: Partial<RequestSpoolOptions> = {}): Promise<RequestSpool> {
  const spool = await RequestSpool.open({
    folder,
    maxBytes: 1_000_000,
    sync: 'second',
    onTrouble: (message) => expect.unreachable(message),
    ...options,
  });
  open.push(spool);
  return spool;
}

/** For the next one to be opened; what is on disk stays as after `kill -9`. */
async function abandoned(spool: RequestSpool): Promise<void> {
  open.splice(open.indexOf(spool), 1);
  await spool.close();
}

const request = (text: string, ...owners: string[]) => ({
  signal: 'traces' as const,
  encoding: 'json' as const,
  at: 1,
  owners,
  body: Buffer.from(text),
});

async function left(spool: RequestSpool): Promise<string[]> {
  const found: string[] = [];
  for await (const { body, owners, sequence } of spool.unfinished())
    found.push(`${sequence} ${Buffer.from(body).toString()} ${owners.join('+')}`);
  return found;
}

const segments = async (): Promise<string[]> => (await readdir(folder)).filter((name) => name.endsWith('.seg'));

describe('a spool', () => {
  test('gives back what nobody was done with, in order, to the process after one that was killed', async () => {
    const first = await opened();
    await Promise.all(['one', 'two', 'three'].map((text) => first.append(request(text, 'a'))));
    await abandoned(first);
    expect(await left(await opened())).toEqual(['1 one a', '2 two a', '3 three a']);
  });

  test.each(['always', 'second'] as const)('under sync %s keeps its files from others', async (sync) => {
    const spool = await opened({ sync });
    await spool.append(request('one', 'a'));
    const modes = [folder, ...(await segments()).map((name) => join(folder, name))].map(
      async (path) => (await stat(path)).mode & 0o777,
    );
    expect(await Promise.all(modes)).toEqual([0o700, 0o600]);
  });

  test('gives each owner only what it needs still', async () => {
    const first = await opened();
    const sequence = await first.append(request('one', 'a', 'b', FORWARDED));
    await first.append(request('two', 'b'));
    first.done('b', sequence);
    first.done(FORWARDED, sequence);
    await first.append(request('three', 'a'));
    await abandoned(first);
    expect(await left(await opened())).toEqual(['1 one a', '2 two b', '3 three a']);
  });

  test('takes what comes after a clean end for new', async () => {
    const first = await opened();
    first.done('a', await first.append(request('one', 'a')));
    await abandoned(first);
    const second = await opened();
    await second.append(request('two', 'a'));
    await abandoned(second);
    expect((await left(await opened())).map((line) => line.replace(/^\d+ /, ''))).toEqual(['two a']);
  });

  test('ends where a write was cut short, and loses nothing before', async () => {
    const first = await opened();
    await first.append(request('one', 'a'));
    await first.append(request('two', 'a'));
    await abandoned(first);
    const [name = ''] = await segments();
    const path = join(folder, name);
    await truncate(path, (await stat(path)).size - 1);
    const second = await opened();
    expect(await left(second)).toEqual(['1 one a']);
    expect(await second.append(request('three', 'a'))).toBe(2);
    await abandoned(second);
    expect(await left(await opened())).toEqual(['1 one a', '2 three a']);
  });

  test.each([
    ['in its body', (size: number) => size - 2],
    ['in its head', (size: number) => size - 30],
  ])('reads nothing of what is damaged %s, nor behind it', async (_, placeOf) => {
    const first = await opened();
    await first.append(request('one', 'a'));
    await first.append(request('two', 'a'));
    await abandoned(first);
    const path = join(folder, (await segments())[0] ?? '');
    const bytes = await readFile(path);
    const at = placeOf(bytes.length);
    bytes[at] = (bytes[at] ?? 0) ^ 0xff;
    await writeFile(path, Buffer.concat([bytes, Buffer.alloc(64, 7)]));
    expect(await left(await opened())).toEqual(['1 one a']);
  });

  test('writes anew only for those who need it, and remembers who was done', async () => {
    const spool = await opened({ maxBytes: 20_000, segmentBytes: 2_000 });
    const first = await spool.append(request('for both', 'slow', 'quick'));
    spool.done('quick', first);
    for (let round = 0; round < 100; round += 1) {
      spool.done('other', await spool.append(request('y'.repeat(500), 'other', ...(round === 50 ? ['quick'] : []))));
      await expect.poll(() => spool.bytes).toBeLessThan(19_000);
    }
    await abandoned(spool);
    expect((await left(await opened())).map((line) => line.replace(/^\d+ (y+|)/, ''))).toEqual([
      'for both slow',
      ' quick',
    ]);
  });

  test('takes no more than it may hold, and more when somebody is done', async () => {
    const spool = await opened({ maxBytes: 1_000, segmentBytes: 300 });
    const text = 'x'.repeat(200);
    let last = 0;
    const fill = async (): Promise<void> => {
      for (;;) last = await spool.append(request(text, 'a'));
    };
    await expect(fill()).rejects.toThrow(SpoolFull);
    expect(last).toBeGreaterThan(1);
    expect(spool.bytes).toBeLessThanOrEqual(1_000);
    spool.done('a', last);
    await expect.poll(() => spool.bytes).toBeLessThan(500);
    await expect(spool.append(request(text, 'a'))).resolves.toBe(last + 1);
  });

  test('keeps only what is needed of old segments when it grows full', async () => {
    const spool = await opened({ maxBytes: 20_000, segmentBytes: 2_000 });
    await spool.append(request('kept', 'slow'));
    for (let round = 0; round < 100; round += 1) {
      spool.done('quick', await spool.append(request('y'.repeat(500), 'quick')));
      await expect.poll(() => spool.bytes).toBeLessThan(19_000);
    }
    await abandoned(spool);
    expect(await left(await opened())).toEqual(['1 kept slow']);
  });

  test('does not bring back what was delivered after it was written anew', async () => {
    const spool = await opened({ maxBytes: 40_000, segmentBytes: 4_000 });
    const sequences = new Map<string, number>();
    const add = async (owner: string): Promise<void> => {
      sequences.set(owner, await spool.append(request('z'.repeat(500), owner)));
    };
    const done = (owner: string): void => spool.done(owner, sequences.get(owner) ?? 0);
    const many = (name: string, count: number): string[] => Array.from({ length: count }, (_, at) => `${name}${at}`);
    const [first, young] = [many('first', 10), many('young', 24)];
    for (const owner of ['delivered late', 'owed', ...first, ...young]) await add(owner);
    first.forEach(done);
    // Of the oldest segment only two are needed: they stand in a young one now.
    await expect.poll(segments).not.toContain('000000000001.seg');
    done('delivered late');
    for (let round = 0; round < 3; round += 1) {
      for (const owners of [young.slice(0, 12), young.slice(12)]) {
        owners.forEach(done);
        await expect.poll(() => spool.bytes).toBeLessThan(30_000);
        for (const owner of owners) await add(owner);
      }
    }
    young.forEach(done);
    await abandoned(spool);
    expect((await left(await opened())).map((line) => line.replace(/z+ /, ''))).toEqual(['2 owed']);
  });

  test('gives back once what a process was killed over while it wrote it anew', async () => {
    const first = await opened();
    const sequence = await first.append(request('one', 'a', 'b'));
    first.done('a', sequence);
    await first.append(request('two', 'b'));
    await abandoned(first);
    await copyFile(join(folder, '000000000001.seg'), join(folder, '000000000007.seg'));
    expect(await left(await opened())).toEqual(['1 one b', '2 two b']);
  });

  test('that is done with is gone from the disk', async () => {
    const spool = await opened({ segmentBytes: 100 });
    for (let round = 0; round < 10; round += 1) spool.done('a', await spool.append(request('z'.repeat(100), 'a')));
    await expect.poll(async () => (await segments()).length).toBeLessThanOrEqual(2);
  });

  test('belongs to one process', async () => {
    await opened();
    await expect(opened()).rejects.toThrow(/is in use by process \d+ .*--spool/);
  });

  test.each([
    ['a process that is gone', () => ({ ...thisOwner(), start: 1 })],
    ['a host that has been silent for long', () => ({ ...thisOwner(), host: 'elsewhere' })],
    ['nobody', () => 'no owner'],
  ])('is free when its lock is that of %s', async (_, owner) => {
    const lock = join(folder, 'lock');
    await writeFile(lock, JSON.stringify(owner()));
    const longAgo = new Date(Date.now() - 120_000);
    await utimes(lock, longAgo, longAgo);
    await expect(opened()).resolves.toBeInstanceOf(RequestSpool);
  });

  test('is not free while the lock of another host is kept fresh', async () => {
    await writeFile(join(folder, 'lock'), JSON.stringify({ ...thisOwner(), host: 'elsewhere' }));
    await expect(opened()).rejects.toThrow(/is in use by process \d+ on elsewhere/);
  });

  test.skipIf(process.getuid?.() === 0)('says what the disk says', async () => {
    await chmod(folder, 0o500);
    await expect(opened()).rejects.toThrow(/EACCES/);
  });
});
