import { accessSync, closeSync, constants, openSync, readSync, realpathSync, statSync } from 'node:fs';
import { createRequire } from 'node:module';
import { delimiter, join } from 'node:path';
import { pathToFileURL } from 'node:url';
import type { Environment } from '@spanprism/core/child';
import { CommandError, type Io } from '../command.ts';

/** As the shell says when it finds no program. */
const NOT_FOUND = 127;

const SDK = '@anthropic-ai/claude-agent-sdk';

export interface ClaudeProgram {
  readonly path: string;
  /** Whether it was found on PATH or is the one that the Agent SDK brings. */
  readonly from: 'path' | 'sdk';
}

type Place = Pick<Io, 'env' | 'cwd'>;

/** For the `claude` that we run: how many of us there are above it, which process is the last, and what it ran as that. */
const RAN = 'SPANPRISM_RAN';
/** Agents that start agents do not come near; a script that runs us out of sight, as `claude`, would never end. */
const MOST_NESTED = 8;

/**
 * What tells us, when `program` turns out to have run us in its place, not to run it again. Whatever else is started below it takes no
 * notice. Throws when we have run ourselves over and over.
 */
export function ranMark(program: string, env: Environment): Environment {
  const nested = Number(env[RAN]?.split(delimiter)[0] ?? 0) + 1;
  if (nested > MOST_NESTED) {
    throw new CommandError({
      what: `${program} was started by spanprism and started it again, ${MOST_NESTED} times over`,
      fix: 'if it is a script that runs spanprism, let it do so with exec',
    });
  }
  return { [RAN]: [nested, process.pid, ...ranAlready(env), program].join(delimiter) };
}

/** What our own parent, being us as well, ran as `claude` to no other end than that. */
function ranAlready(env: Environment): readonly string[] {
  const [, pid, ...programs] = env[RAN]?.split(delimiter) ?? [];
  return pid === String(process.ppid) ? programs : [];
}

/** The `claude` that the shell would run; where there is none, the one that the Agent SDK brings. */
export function findClaude(place: Place, own: string | undefined = process.argv[1]): ClaudeProgram {
  const passedOver: string[] = [];
  const onPath = findOnPath(place, own, passedOver);
  if (onPath !== undefined) return { path: onPath, from: 'path' };
  const bundled = findBundled(place);
  if (bundled !== undefined) return { path: bundled, from: 'sdk' };
  const other = passedOver.length === 0 ? '' : ` but ${passedOver.join(', ')}, which runs spanprism`;
  throw new CommandError({
    what: `there is no claude on PATH${other}, and no ${SDK} is installed in ${place.cwd} or beside spanprism`,
    fix: `install Claude Code (npm install -g @anthropic-ai/claude-code) or npm install ${SDK}`,
    exitCode: NOT_FOUND,
  });
}

/** Somebody may have put us on PATH under that name, or a script that runs us: then the next one is meant. */
function findOnPath({ env, cwd }: Place, own: string | undefined, passedOver: string[]): string | undefined {
  const ourselves = own === undefined ? undefined : realPath(own);
  const already = ranAlready(env);
  const names = process.platform === 'win32' ? ['claude.exe', 'claude.cmd'] : ['claude'];
  for (const folder of (env['PATH'] ?? env['Path'] ?? '').split(delimiter)) {
    // An empty entry is the current folder.
    const candidate = names.map((name) => join(folder === '' ? cwd : folder, name)).find(isProgram);
    if (candidate === undefined) continue;
    const isUs = realPath(candidate) === ourselves || already.includes(candidate) || startsUs(candidate);
    if (!isUs) return candidate;
    passedOver.push(candidate);
  }
  return undefined;
}

/** A line of a script that has one of our names in it; as a folder's, it says nothing. */
const STARTS_US = /^#!(?:.*\n)+?[^#\n]*\b(?:spanprism|sprism)(?![\w/-])/;
const SCRIPT_BYTES = 4_096;

/** A script of that name puts us before `claude` wherever it is called. What it runs us by may be any words: see `ranMark`. */
function startsUs(path: string): boolean {
  try {
    const file = openSync(path, 'r');
    try {
      const bytes = Buffer.alloc(SCRIPT_BYTES);
      return STARTS_US.test(bytes.toString('latin1', 0, readSync(file, bytes)));
    } finally {
      closeSync(file);
    }
  } catch {
    return false;
  }
}

function isProgram(path: string): boolean {
  try {
    accessSync(path, constants.X_OK);
    return statSync(path).isFile();
  } catch {
    return false;
  }
}

function realPath(path: string): string | undefined {
  try {
    return realpathSync(path);
  } catch {
    return undefined;
  }
}

/** The SDK has its binary in a package of its own for each platform; of those for Linux, npm may install both. */
function findBundled({ cwd }: Place): string | undefined {
  const program = process.platform === 'win32' ? 'claude.exe' : 'claude';
  const { platform, arch } = process;
  const variants = platform === 'linux' ? (isMusl() ? ['-musl', ''] : ['', '-musl']) : [''];
  for (const place of [pathToFileURL(join(cwd, 'package.json')).href, import.meta.url]) {
    const sdk = resolved(place, SDK);
    for (const variant of variants) {
      const path = sdk && resolved(sdk, `${SDK}-${platform}-${arch}${variant}/${program}`);
      if (path !== undefined && isProgram(path)) return path;
    }
  }
  return undefined;
}

function resolved(from: string, name: string): string | undefined {
  try {
    return createRequire(from).resolve(name);
  } catch {
    return undefined;
  }
}

/** A report of glibc's version is one that a musl system cannot give. */
function isMusl(): boolean {
  const report = process.report?.getReport() as { header?: { glibcVersionRuntime?: string } } | undefined;
  return report?.header?.glibcVersionRuntime === undefined;
}
