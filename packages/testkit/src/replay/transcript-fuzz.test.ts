import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, test } from 'vitest';
import { readRow, rowOf } from '../../../core/src/sources/transcript/row.ts';
import { listRecordings, openRecording } from '../recordings/recording.ts';
import { brokenPromises } from './broken-promises.ts';
import { damagedBytes } from './damage-bytes.ts';
import { leavesOf, mutated } from './mutate.ts';
import { type Random, seeded } from './prng.ts';
import { playRows, playSession, sessionsOf } from './replay-transcript.ts';

const LINES = 20_000;
const ROWS = 20_000;
const FILES = 300;
const SEED = Number(process.env['SPANPRISM_FUZZ_SEED'] ?? 1);
const PER_RUN = 50;

const sessions = listRecordings().flatMap((name) => sessionsOf(openRecording(name)));
const linesOf = (path: string): readonly string[] =>
  readFileSync(path, 'utf8')
    .split('\n')
    // Whole requests and snapshots of files are never looked into.
    .filter((line) => line !== '' && line.length < 8_192);
const scripts = sessions.map(({ path, subagents }) => ({
  main: linesOf(path),
  subagents: subagents.map((subagent) => ({ ...subagent, lines: linesOf(subagent.path) })),
}));
const lines = scripts.flatMap(({ main, subagents }) => [...main, ...subagents.flatMap((subagent) => subagent.lines)]);
const pool = lines.slice(0, 2_000).flatMap((line) => leavesOf(JSON.parse(line)));

type Entry = ReturnType<typeof readRow>;

function damagedLine(random: Random): Entry {
  const bytes = damagedBytes(Buffer.from(random.pick(lines)), 'json', random);
  return readRow({ number: 1, bytes, isCut: random.next() < 0.1, readBytes: bytes.length });
}

function damagedRow(random: Random): Entry {
  return rowOf(mutated(JSON.parse(random.pick(lines)), pool, random), 1);
}

/** The rows of a session with damaged ones strewn in, also among those of its subagents, or of one that is nobody's. */
function brokenBy(damagedOne: (random: Random) => Entry, random: Random): readonly string[] {
  const { main, subagents } = random.pick(scripts);
  const [subagent = { agentId: 'nobody', lines: [] }] = subagents;
  const sound = main.map((line) => rowOf(JSON.parse(line), 1));
  const entries = sound.map((row) => ({ row, isMain: true }));
  for (const line of subagent.lines)
    entries.splice(random.below(entries.length + 1), 0, { row: rowOf(JSON.parse(line), 1), isMain: false });
  for (let count = 0; count < PER_RUN; count += 1)
    entries.splice(random.below(entries.length + 1), 0, { row: damagedOne(random), isMain: random.next() < 0.8 });
  return playRows((reader) => {
    for (const { row, isMain } of entries) {
      if (row === 'silent' || 'skipped' in row) continue;
      if (isMain) reader.read(row);
      else reader.readSubagent(row, subagent);
    }
    reader.end();
  }).flatMap((played) => brokenPromises(played));
}

const folder = mkdtempSync(join(tmpdir(), 'spanprism-fuzz-'));
afterAll(() => rmSync(folder, { recursive: true }));

describe.skipIf(sessions.length === 0)(`damaged session files neither throw nor break a promise (seed ${SEED})`, () => {
  test('20,000 lines', { timeout: 120_000 }, () => {
    const random = seeded(SEED);
    const broken = Array.from({ length: LINES / PER_RUN }, () => brokenBy(damagedLine, random)).flat();
    expect(broken).toEqual([]);
    expect('polluted' in {}).toBe(false);
  });

  test('20,000 rows', { timeout: 120_000 }, () => {
    const random = seeded(SEED + 1);
    expect(Array.from({ length: ROWS / PER_RUN }, () => brokenBy(damagedRow, random)).flat()).toEqual([]);
  });

  test('300 whole files, of which every line is read or reported', { timeout: 120_000 }, () => {
    const random = seeded(SEED + 2);
    const path = join(folder, 'session.jsonl');
    for (let count = 0; count < FILES; count += 1) {
      const { main } = random.pick(scripts);
      writeFileSync(path, damagedBytes(Buffer.from(main.join('\n')), 'json', random));
      const read = { bytes: 0 };
      const skipped: string[] = [];
      const files = { path, bytes: 0, modifiedMs: 0, subagents: [{ path, bytes: 0, agentId: 'itself' }] };
      const played = playSession(files, {
        skipped: ({ reason }) => void skipped.push(reason),
        progress: (bytes) => void (read.bytes += bytes),
      });
      expect(played.flatMap((one) => brokenPromises(one))).toEqual([]);
      expect(read.bytes).toBe(2 * readFileSync(path).length);
    }
  });
});
