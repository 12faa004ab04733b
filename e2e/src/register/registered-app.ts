import { execFile, execFileSync } from 'node:child_process';
import { cpSync, existsSync, mkdtempSync, realpathSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { basename, join } from 'node:path';
import { promisify } from 'node:util';
import {
  answer,
  type Collector,
  claudeBinary,
  cleanEnvironment,
  makeProject,
  readSpans,
  type Rule,
  startMessagesApi,
  text,
  when,
} from '@spanprism/testkit';
import { type Ended, installLane } from '../lane.ts';
import { link } from '../packed.ts';
import { bash, usage } from '../replies.ts';

export const SDK = '@anthropic-ai/claude-agent-sdk';
export const REGISTER: readonly string[] = ['--import', '@spanprism/register'];
const PACKAGES: readonly string[] = [
  'core',
  'register',
  'claude-otlp',
  'claude-langfuse',
  'claude-logfire',
  'claude-sentry',
].map((name) => `@spanprism/${name}`);

/** A folder with programs that are traced without knowing it, and with all that is installed for it. */
export interface RegisteredApp extends Disposable {
  readonly folder: string;
}

/** Installs a lane with the packed packages, adapters included as far as they are packed. */
export function installRegistered(lane: string, tarballs: Readonly<Record<string, string>>): RegisteredApp {
  const into = realpathSync(mkdtempSync(join(tmpdir(), 'spanprism-registered-')));
  const folder = join(into, lane);
  const source = join(import.meta.dirname, '..', '..', 'lanes', lane);
  // A lane without a lockfile pins what it names, and no more: Next's binaries for all the other platforms are not in every registry.
  if (existsSync(join(source, 'package-lock.json'))) installLane(lane, into, tarballs);
  else cpSync(source, folder, { recursive: true });
  // All of them at once, those that are there already too: npm takes away what nobody asks for.
  const packed = PACKAGES.flatMap((name) => tarballs[name] ?? []);
  const quiet = ['--no-save', '--no-package-lock', '--no-audit', '--no-fund', '--prefer-offline', '--loglevel=error'];
  execFileSync('npm', ['install', ...quiet, ...packed], { cwd: folder, stdio: ['ignore', 'ignore', 'inherit'] });
  link(folder, [SDK]);
  return {
    folder,
    [Symbol.dispose]: () => rmSync(into, { recursive: true, force: true }),
  };
}

/** A copy of the SDK with a file of its own, and without its binary: what a second version in the tree of dependencies is. */
export function copySdk(folder: string): void {
  const from = realpathSync(join(import.meta.dirname, '..', '..', 'node_modules', SDK));
  const filter = (path: string): boolean => basename(path) !== 'node_modules' || path === from;
  cpSync(from, join(folder, 'node_modules', SDK), { recursive: true, filter });
}

/** A call, a tool and the answer. */
export const LOOK_AROUND: readonly Rule[] = [
  when.toolResult('toolu_1').reply(answer(text('Three files.'), { usage: usage(1400, 12) })),
  when.lastUserText('Look around').reply(answer(bash('toolu_1', 'ls'), { usage: usage(1200, 30) })),
];

/** The spans of one run of `LOOK_AROUND`. */
export const WHOLE: readonly string[] = [
  'chat claude-sonnet-4-5',
  'chat claude-sonnet-4-5',
  'execute_tool Bash',
  'invoke_agent claude',
];

export interface Run {
  readonly node: string;
  readonly app: RegisteredApp;
  /** Flags and the program. */
  readonly words: readonly string[];
  readonly extra?: Readonly<Record<string, string | undefined>>;
  readonly rules?: readonly Rule[];
}

/** Runs a program in the app's folder to its end. One that does not end by itself is killed after a minute. */
export async function run({ node, app, words, extra = {}, rules = LOOK_AROUND }: Run): Promise<Ended> {
  await using project = await makeProject();
  await using api = await startMessagesApi({ rules });
  const env = cleanEnvironment({
    home: project.home,
    apiUrl: api.url,
    extra: { CLAUDE: claudeBinary().path, PROJECT: project.cwd, ...extra },
  });
  const options = { cwd: app.folder, env, encoding: 'utf8', timeout: 60_000, killSignal: 'SIGKILL' } as const;
  // Awaited here: what it uses is taken away at the end of this function.
  return await promisify(execFile)(node, [...words], options).then(
    ({ stdout, stderr }) => ({ code: 0, signal: null, stdout, stderr }),
    ({ code, signal, stdout, stderr }: Ended) => ({ code: code ?? null, signal: signal ?? null, stdout, stderr }),
  );
}

/** Names of the spans that were sent to each path for traces. A span that was sent before its end, too, is named once. */
export function namesByPath(collector: Collector): Readonly<Record<string, readonly string[]>> {
  const byPath: Record<string, Map<string, string>> = {};
  for (const { path, signal, isAccepted, decoded } of collector.requests) {
    if (signal !== 'traces' || !isAccepted || decoded === undefined) continue;
    const names = (byPath[path] ??= new Map());
    for (const { spanId, name } of readSpans(decoded)) names.set(spanId, name);
  }
  return Object.fromEntries(Object.entries(byPath).map(([path, names]) => [path, [...names.values()].toSorted()]));
}
