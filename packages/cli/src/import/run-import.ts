import { existsSync } from 'node:fs';
import { basename } from 'node:path';
import { setFlagsFromString } from 'node:v8';
import type { Diag, Sink } from '@spanprism/core';
import { createSessions, type Sessions } from '@spanprism/core/sessions';
import type { SessionFiles } from '@spanprism/core/transcript';
import { defaultStorePath, openStore, type Store } from '@spanprism/store';
import { CommandError, type CommandInput, type Io } from '../command.ts';
import { readInstant } from '../reports/instant.ts';
import { type ChosenSinks, sinksFrom } from '../sinks/sinks-from.ts';
import { Destination } from './destination.ts';
import { findSessions, projectsFolder, type FoundSession } from './find-sessions.ts';
import { importSession } from './import-session.ts';
import { fileJournal, journalPath, storeJournal } from './journal.ts';
import { progressOn } from './progress.ts';
import { type ImportReport, reportText, SkippedLines } from './report.ts';

/** Spans between two waits for the sinks: what is handed over is bounded by that. */
const SPANS_PER_FLUSH = 100;
const ROWS_PER_BREATH = 512;
const FLUSH_MS = 30_000;
const CLOSE_MS = 5_000;

export async function runImport({ values, positionals }: CommandInput, io: Io): Promise<number> {
  // Of a gigabyte some 20 MB are alive at a time. Left to itself, V8 lets ten times as much lie before it tidies up, here and in the store's thread.
  setFlagsFromString('--optimize-for-size');
  const since = values['since'];
  const sinceNano =
    typeof since === 'string' ? readInstant('since', since, { now: io.now(), edge: 'start' }) : undefined;
  const paths = positionals.length === 0 ? [projectsFolder(io.env)] : positionals;
  const found = findSessions(
    {
      paths,
      takesRunning: values['running'] === true,
      ...(sinceNano === undefined ? {} : { sinceMs: Number(sinceNano / 1_000_000n) }),
    },
    io,
  );
  const dryRun = values['dry-run'] === true;
  const skipped = new SkippedLines();
  const places = dryRun ? await dryPlaces(io) : await realPlaces(values, io);
  try {
    const unreadable = [...found.unreadable];
    const problem = await importAll(found.sessions, { places, skipped, unreadable, since: sinceNano, io });
    const report: ImportReport = {
      dryRun,
      sessions: found.sessions.length,
      files: found.sessions.reduce((sum, { subagents }) => sum + 1 + subagents.length, 0),
      bytes: bytesOf(found.sessions),
      imported: places.destinations.map(({ imported }) => imported),
      running: found.running,
      unreadable,
      skippedLines: skipped.count,
      skippedByReason: skipped.byReason,
      skipped: skipped.named,
    };
    io.stdout.write(values['json'] === true ? `${JSON.stringify(report, undefined, 2)}\n` : reportText(report));
    if (sinceNano === undefined && report.sessions + found.running.length + unreadable.length === 0) {
      const where = paths.join(', ');
      io.stderr.write(
        `spanprism: no sessions in ${where}; Claude Code keeps each in <id>.jsonl below ~/.claude/projects\n`,
      );
    }
    if (problem !== undefined) io.stderr.write(`spanprism: ${problem}\n`);
    return problem === undefined && unreadable.length === 0 ? 0 : 1;
  } finally {
    places.close();
  }
}

interface Places {
  readonly destinations: readonly Destination[];
  readonly sessions: Sessions;
  readonly problems: readonly string[];
  close(): void;
}

async function realPlaces(values: CommandInput['values'], io: Io): Promise<Places> {
  const diag = diagOn(io);
  const chosen = await sinksFrom({ env: io.env, diag }, values);
  if (chosen.sinks.length === 0) {
    throw new CommandError({
      what: `there is nowhere to import to: ${chosen.problems.join('; ')}`,
      fix: 'give a backend, or --store for the local store',
    });
  }
  const journals = storeOf(chosen.storePath);
  const destinations = chosen.places.flatMap((place, index) => {
    const sink = chosen.sinks[index];
    if (sink === undefined) return [];
    const isStore = place === chosen.storePath;
    const file = journalPath(chosen.storePath ?? defaultStorePath(io.env), identityOf(place, values, io));
    return new Destination(sink, { place, journal: isStore ? storeJournal(journals.open, file) : fileJournal(file) });
  });
  // The view on the terminal is no place: it shows whatever is read.
  const views = chosen.sinks.slice(destinations.length);
  return {
    destinations,
    sessions: createSessions({
      sinks: [...destinations.map(({ sink }) => sink), ...views],
      diag,
      ...captureOf(chosen),
    }),
    problems: chosen.problems,
    close: journals.close,
  };
}

/** What tells one backend from another of its kind: what the variables and flags that name it say. */
function identityOf(place: string, values: CommandInput['values'], { env }: Io): string {
  const variables = /\((.*)\)$/.exec(place)?.[1]?.split(', ') ?? [];
  return JSON.stringify([place, values['logfire-token'], variables.map((name) => env[name])]);
}

/** What would become of it in the local store, which is opened for reading if there is one. */
async function dryPlaces(io: Io): Promise<Places> {
  const path = defaultStorePath(io.env);
  const journals = storeOf(path);
  const sink: Sink = { name: 'store', spanEnd: () => undefined, flush: resolved, close: resolved };
  const journal = storeJournal(journals.open, journalPath(path, identityOf(path, {}, io)));
  const destination = new Destination(sink, { place: path, journal: { ...journal, sending: () => undefined } });
  const sessions = createSessions({ sinks: [destination.sink], diag: diagOn(io), capture: 'metadata' });
  return { destinations: [destination], sessions, problems: [], close: journals.close };
}

/** The store as a reader; there is none before the first span was written. */
function storeOf(path: string | undefined): { open: () => Store | undefined; close: () => void } {
  let store: Store | undefined;
  return {
    open: () => (store ??= path !== undefined && existsSync(path) ? openStore(path, { readOnly: true }) : undefined),
    close: () => store?.close(),
  };
}

interface ImportParts {
  readonly places: Places;
  readonly skipped: SkippedLines;
  /** Gets what fails while it is read. */
  readonly unreadable: { readonly file: string; readonly reason: string }[];
  readonly since: bigint | undefined;
  readonly io: Io;
}

/** Why not everything was delivered; undefined when it was. */
async function importAll(found: readonly FoundSession[], parts: ImportParts): Promise<string | undefined> {
  const { places, skipped, unreadable, since, io } = parts;
  const { destinations, sessions } = places;
  const progress = progressOn({ stream: io.stderr, bytes: bytesOf(found), sessions: found.length });
  const paths = new Map(found.map(({ path }) => [basename(path, '.jsonl'), path]));
  const context = { sessions, destinations, paths, since };
  const options = { skipped: skipped.add.bind(skipped), progress: progress.read };
  try {
    for (const files of found) {
      const steps = importSession(files, context, options);
      await paced(steps, destinations, () => arrive(places)).catch((error: unknown) => {
        if (!isSystemError(error)) throw error;
        unreadable.push({ file: files.path, reason: error.message });
      });
      await arrive(places);
      progress.session();
    }
    return lossOf(sessions) ?? (places.problems.length === 0 ? undefined : places.problems.join('; '));
  } catch (error) {
    if (!(error instanceof NotDelivered)) throw error;
    return error.message;
  } finally {
    progress.end();
    await sessions.close(CLOSE_MS);
  }
}

/** Lets sinks work between rows, and waits for them when they have been given much. */
async function paced(
  steps: Generator<void, void, void>,
  destinations: readonly Destination[],
  wait: () => Promise<void>,
): Promise<void> {
  let rows = 0;
  let waitedAt = spansOf(destinations);
  for (const _ of steps) {
    rows += 1;
    if (rows % ROWS_PER_BREATH === 0) await new Promise((resolve) => setImmediate(resolve));
    if (spansOf(destinations) - waitedAt < SPANS_PER_FLUSH) continue;
    waitedAt = spansOf(destinations);
    await wait();
  }
}

function isSystemError(error: unknown): error is Error {
  return error instanceof Error && 'syscall' in error;
}

class NotDelivered extends Error {}

async function arrive({ sessions, destinations }: Places): Promise<void> {
  for (const destination of destinations) destination.sending();
  try {
    await sessions.flush(FLUSH_MS);
  } catch (error) {
    const why = error instanceof Error ? error.message : String(error);
    throw new NotDelivered(`not everything was delivered, the next import sends the rest: ${why}`);
  }
  for (const destination of destinations) destination.arrived();
}

function lossOf(sessions: Sessions): string | undefined {
  const lost = Object.entries(sessions.stats().sinks).flatMap(([name, { dropped }]) =>
    Object.entries(dropped).map(([why, count]) => `${name} dropped ${count} spans (${why})`),
  );
  return lost.length === 0 ? undefined : lost.join('; ');
}

function captureOf({ capture }: ChosenSinks): Pick<ChosenSinks, 'capture'> {
  return capture === undefined ? {} : { capture };
}

function spansOf(destinations: readonly Destination[]): number {
  return destinations.reduce((sum, { spans }) => sum + spans, 0);
}

function bytesOf(found: readonly SessionFiles[]): number {
  const own = (files: SessionFiles): number => files.subagents.reduce((sum, { bytes }) => sum + bytes, files.bytes);
  return found.reduce((sum, files) => sum + own(files), 0);
}

function diagOn({ stderr }: Io): Diag {
  return (level, message) => {
    if (level === 'warn' || level === 'error') stderr.write(`spanprism: ${message}\n`);
  };
}

async function resolved(): Promise<void> {}
