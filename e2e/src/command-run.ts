import { type ChildProcess, execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync } from 'node:fs';
import { mkdir, mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { delimiter, dirname, join, relative } from 'node:path';
import {
  claudeBinary,
  cleanEnvironment,
  makeProject,
  type MessagesApi,
  type Project,
  type Rule,
  startMessagesApi,
} from '@spanprism/testkit';
import { inject } from 'vitest';

/** The newest model does not announce its end on stderr. */
export const MODEL = 'claude-opus-5-5';

/** How `claude` is started: as it is, or through the command, whose own flags stand before the word. */
export type Way = 'plain' | readonly string[];

export interface CommandScenario {
  /** What `claude` is given. */
  readonly args: readonly string[] | ((project: { readonly cwd: string }) => readonly string[]);
  readonly rules?: readonly Rule[];
  /** Written to stdin, which is then closed; without it there is nothing to read. */
  readonly stdin?: string;
  readonly env?: Readonly<Record<string, string | undefined>>;
  /** Files of the home folder, by path. */
  readonly home?: Readonly<Record<string, string | ((project: Project) => string)>>;
  /** Puts the whole command line into another: a terminal, say. */
  readonly within?: (command: readonly string[]) => readonly string[];
  /** What somebody does while it runs. */
  readonly drive?: (stage: CommandStage) => Promise<void>;
  /** What was done in the same project before, by plain `claude`. */
  readonly before?: readonly string[];
}

export interface CommandStage {
  readonly child: ChildProcess;
  readonly api: MessagesApi;
  readonly stdout: () => string;
}

export interface CommandRun {
  readonly stdout: string;
  readonly stderr: string;
  readonly code: number | null;
  readonly signal: string | null;
  /** Files of the project and the home folder, and their text. */
  readonly files: Readonly<Record<string, string>>;
  /** Where its store is, until `use` has seen it. */
  readonly store: string;
  /** Its home folder, as long. */
  readonly home: string;
}

/** Runs another command of ours on the store of a run, and reads the JSON that it prints. */
export function read<T>(run: CommandRun, ...args: readonly string[]): T {
  const env = { PATH: process.env['PATH'], SPANPRISM_STORE: run.store };
  return JSON.parse(execFileSync(process.execPath, [MAIN(), ...args, '--json'], { env, encoding: 'utf8' })) as T;
}

/** The runs in its store, which is made when it is first needed. */
export function storedRuns(run: CommandRun): readonly { readonly id: string }[] {
  return existsSync(run.store) ? read<{ readonly runs: readonly { readonly id: string }[] }>(run, 'runs').runs : [];
}

const MAIN = (): string => join(inject('packedFolder'), 'node_modules', 'spanprism', 'dist', 'main.js');
const LIMIT_MS = 40_000;

export function binary(): string {
  const { path, absent } = claudeBinary(import.meta.url);
  if (path === undefined) throw new Error(absent);
  return path;
}

/** Runs a scenario in a project of its own; `use` sees it before everything is removed. */
export async function runCommand<T = CommandRun>(
  scenario: CommandScenario,
  way: Way,
  use: (run: CommandRun) => Promise<T> | T = (run) => run as T,
): Promise<T> {
  await using api = await startMessagesApi({ rules: [...(scenario.rules ?? [])] });
  await using project = await makeProject();
  // Not in a home folder: what plain `claude` leaves there is compared.
  const place = await mkdtemp(join(tmpdir(), 'spanprism-store-'));
  const store = join(place, 'spans.db');
  try {
    for (const [path, text] of Object.entries(scenario.home ?? {}))
      await write(join(project.home, path), typeof text === 'string' ? text : text(project));
    const env = cleanEnvironment({
      home: project.home,
      apiUrl: api.url,
      extra: {
        PATH: [dirname(binary()), process.env['PATH']].join(delimiter),
        SPANPRISM_STORE: store,
        ...scenario.env,
      },
    });
    if (scenario.before !== undefined)
      await ended(start([binary(), ...scenario.before], { cwd: project.cwd, env }), {});
    const { args, within = (command) => command } = scenario;
    const words = typeof args === 'function' ? args(project) : args;
    const command = way === 'plain' ? [binary(), ...words] : [process.execPath, MAIN(), ...way, 'claude', ...words];
    const child = start(within(command), { cwd: project.cwd, env });
    const run = await ended(child, { ...scenario, api });
    const masks = [project.cwd, project.home, `${api.url.replace(/^.*:/, ':')}`];
    return await use({ ...run, files: await filesOf(dirname(project.cwd), masks), store, home: project.home });
  } finally {
    await rm(place, { recursive: true, force: true });
  }
}

function start(
  [program = '', ...args]: readonly string[],
  options: { readonly cwd: string; readonly env: Readonly<Record<string, string>> },
): ChildProcess {
  return spawn(program, args, { ...options, stdio: ['pipe', 'pipe', 'pipe'] });
}

type Driven = Pick<CommandScenario, 'stdin' | 'drive'> & { readonly api?: MessagesApi };

async function ended(
  child: ChildProcess,
  { stdin, drive, api }: Driven,
): Promise<Omit<CommandRun, 'files' | 'store' | 'home'>> {
  const texts = { stdout: '', stderr: '' };
  for (const name of ['stdout', 'stderr'] as const) {
    child[name]?.setEncoding('utf8').on('data', (text: string) => (texts[name] += text));
  }
  // It may end without having read all of it.
  child.stdin?.on('error', () => undefined);
  if (drive === undefined) child.stdin?.end(stdin);
  const limit = setTimeout(() => child.kill('SIGKILL'), LIMIT_MS);
  const closed = once(child, 'close') as Promise<[number | null, string | null]>;
  if (drive !== undefined && api !== undefined) await drive({ child, api, stdout: () => texts.stdout });
  const [code, signal] = await closed;
  clearTimeout(limit);
  return { ...texts, code, signal };
}

async function write(path: string, text: string): Promise<void> {
  await mkdir(dirname(path), { recursive: true });
  await writeFile(path, text);
}

async function filesOf(root: string, masks: readonly string[]): Promise<Record<string, string>> {
  const entries = await readdir(root, { recursive: true, withFileTypes: true });
  const files: Record<string, string> = {};
  for (const entry of entries) {
    if (!entry.isFile()) continue;
    const path = join(entry.parentPath, entry.name);
    files[maskedText(relative(root, path), masks)] = textOf(path, maskedText(await readFile(path, 'utf8'), masks));
  }
  return files;
}

/** The CLI writes some rows of a transcript when it has time, so they may come sooner, later or more than once. */
function textOf(path: string, text: string): string {
  return path.endsWith('.jsonl') ? [...new Set(text.split('\n'))].sort().join('\n') : text;
}

/** Lines that are not of `claude`. */
export const OURS: RegExp = /^spanprism: .*\n/gm;

/** Everything of a run that somebody else than us can see. */
export function visible(run: CommandRun): Omit<CommandRun, 'store' | 'home'> {
  const { stdout, stderr, code, signal, files } = run;
  return { stdout: maskedText(stdout), stderr: maskedText(stderr.replaceAll(OURS, '')), code, signal, files };
}

const UUID = /[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}/g;

/** A text without what differs from run to run: ids that are minted, times and lengths of time, folders, ports. */
export function maskedText(text: string, places: readonly string[] = []): string {
  return places
    .reduce((masked, place) => masked.replaceAll(place, '<place>'), text)
    .replaceAll(/\/tmp\/spanprism-[\w-]+/g, '<folder>')
    .replaceAll(/-tmp-spanprism-[\w-]+?-project/g, '<slug>')
    .replaceAll(/(sessions|cc-socks)\/\d+/g, '$1/<pid>')
    .replaceAll(/"(peerToken|procStart)":"\w+"/g, '"$1":"<id>"')
    .replaceAll(/"lastFps(\w+)": [\d.]+/g, '"lastFps$1": <rate>')
    .replaceAll(/127\.0\.0\.1:\d+/g, '<address>')
    .replaceAll(/"project-[0-9a-f]{2}"/g, '"project-<id>"')
    .replaceAll(UUID, '<uuid>')
    .replaceAll(/\b[0-9a-f]{64}\b/g, '<hash>')
    .replaceAll(/\b1[78]\d{11}\b/g, '<millis>')
    .replaceAll(/\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?Z/g, '<time>')
    .replaceAll(
      /"(\w*(?:_ms|_seconds|Ms|[dD]uration\w*|_time|Time|_at|At|timestamp|pid))":\s?"?[\d.]+"?/g,
      '"$1":<length>',
    );
}
