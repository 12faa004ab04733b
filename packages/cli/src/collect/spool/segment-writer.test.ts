import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import { SegmentWriter } from './segment-writer.ts';

async function writer(): Promise<{ readonly path: string; readonly segment: SegmentWriter }> {
  const folder = await mkdtemp(join(tmpdir(), 'spanprism-segment-'));
  onTestFinished(() => rm(folder, { recursive: true, force: true }));
  const path = join(folder, 'one');
  return { path, segment: await SegmentWriter.create(path, 'always') };
}

test('a segment has what was appended before it was closed, in order', async () => {
  const { path, segment } = await writer();
  const appended = ['one ', 'two ', 'three'].map((text) => segment.append([Buffer.from(text)], text.length));
  await segment.close();
  await Promise.all(appended);
  expect(await readFile(path, 'utf8')).toBe('one two three');
});

// The number of its descriptor may be that of another file by now.
test('a segment that is being closed takes nothing more', async () => {
  const { path, segment } = await writer();
  const closing = segment.close();
  await expect(segment.append([Buffer.from('late')], 4)).rejects.toThrow('the segment is closed');
  await closing;
  expect(await readFile(path, 'utf8')).toBe('');
});
