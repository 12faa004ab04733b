import { execFile, execFileSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { cpSync, existsSync, mkdirSync, readFileSync, renameSync, rmSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { link } from './packed.ts';

const e2e = dirname(dirname(fileURLToPath(import.meta.url)));
const lanes = join(e2e, 'lanes');
const cache = join(e2e, 'node_modules', '.cache', 'lanes');

/** Versions of Node by name; the first two are the oldest that are supported. */
export const NODES = {
  '20.19': join(e2e, 'node_modules', 'node-20', 'bin', 'node'),
  '22.15': join(e2e, 'node_modules', 'node-22', 'bin', 'node'),
  '24': process.execPath,
} as const satisfies Readonly<Record<string, string>>;

/** What a user installs to send traces. */
const PACKAGES: readonly string[] = ['@spanprism/core', '@spanprism/claude-otlp'];
/** What he adds in one lane: nothing of it brings an OpenTelemetry along. */
const BESIDE: Readonly<Record<string, readonly string[]>> = {
  plain: ['@spanprism/claude-langfuse', '@spanprism/claude-logfire'],
  'sentry-10': ['@spanprism/register', '@spanprism/claude-sentry'],
  'sentry-11': ['@spanprism/register', '@spanprism/claude-sentry'],
};

const QUIET = ['--no-audit', '--no-fund', '--ignore-scripts', '--prefer-offline', '--loglevel=error'];

/**
 * Installs a lane into a copy of the lanes' folder: what its lockfile says, then the packed packages as a user adds them.
 * A peer that does not fit fails the installation.
 */
export function installLane(name: string, into: string, tarballs: Readonly<Record<string, string>>): void {
  const folder = join(into, name);
  cpSync(lanes, into, { recursive: true });
  cpSync(join(locked(name), 'node_modules'), join(folder, 'node_modules'), { recursive: true });
  const packages = [...PACKAGES, ...(BESIDE[name] ?? [])];
  const beside = ['--no-save', '--no-package-lock', '--strict-peer-deps'];
  npm(folder, ['install', ...beside, ...QUIET, ...packages.map((packed) => tarballs[packed] ?? packed)]);
  // 200 MB that every lane has in common, and the schema library that its tools are declared with.
  link(folder, ['@anthropic-ai/claude-agent-sdk', 'zod']);
}

/** What a lane's lockfile says, installed once for as long as it says the same. */
function locked(name: string): string {
  const files = ['package.json', 'package-lock.json'];
  const hash = createHash('sha256');
  for (const file of files) hash.update(readFileSync(join(lanes, name, file)));
  const folder = join(cache, `${name}-${hash.digest('hex').slice(0, 16)}`);
  if (existsSync(folder)) return folder;
  // Complete or not there at all.
  const building = `${folder}.${process.pid}`;
  mkdirSync(join(building, 'node_modules'), { recursive: true });
  for (const file of files) cpSync(join(lanes, name, file), join(building, file));
  npm(building, ['ci', ...QUIET]);
  try {
    renameSync(building, folder);
  } catch (error) {
    // Another file of tests was faster: its installation is as good.
    rmSync(building, { recursive: true, force: true });
    if (!existsSync(folder)) throw error;
  }
  return folder;
}

function npm(cwd: string, words: readonly string[]): void {
  execFileSync('npm', words, { cwd, stdio: ['ignore', 'ignore', 'inherit'] });
}

export interface Ended {
  readonly code: number | null;
  readonly signal: string | null;
  readonly stdout: string;
  readonly stderr: string;
}

export interface Program {
  readonly node: string;
  readonly file: string;
  readonly cwd: string;
  readonly env: Readonly<Record<string, string>>;
}

/** Runs a program to its end, without flags, as a user would. One that does not end by itself is killed after a minute. */
export async function runProgram({ node, file, cwd, env }: Program): Promise<Ended> {
  const options = { cwd, env, encoding: 'utf8', timeout: 60_000, killSignal: 'SIGKILL' } as const;
  const ended = promisify(execFile)(node, [file], options);
  return ended.then(
    ({ stdout, stderr }) => ({ code: 0, signal: null, stdout, stderr }),
    ({ code, signal, stdout, stderr }: Ended) => ({ code: code ?? null, signal: signal ?? null, stdout, stderr }),
  );
}
