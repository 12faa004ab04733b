// Brings a machine that has only Node and npm to a working tree: the pinned pnpm, the workspace's dependencies, and
// Node 24 from the npm package `node`. Does nothing when none of that has changed since the last time.
import { spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync, mkdirSync, readFileSync, readdirSync, writeFileSync } from 'node:fs';
import { delimiter, dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

export const root = dirname(dirname(fileURLToPath(import.meta.url)));
export const cache = join(root, '.cache');

const manifest = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8'));
const [pnpm] = manifest.packageManager.split('+');
const pnpmFolder = join(cache, pnpm);
const nodeFolder = join(root, 'node_modules', 'node', 'bin');
const stampFile = join(root, 'node_modules', '.setup-stamp');

/** The environment in which everything else runs: Node 24, pnpm and the workspace's tools come first. */
export const env = {
  ...process.env,
  PATH: [
    nodeFolder,
    join(pnpmFolder, 'node_modules', '.bin'),
    join(root, 'node_modules', '.bin'),
    process.env.PATH,
  ].join(delimiter),
  // A caller's `npm --silent` must not hide why an installation failed.
  npm_config_loglevel: 'warn',
  npm_config_update_notifier: 'false',
  TURBO_TELEMETRY_DISABLED: '1',
};

/** Runs a program in the foreground and answers whether it succeeded. */
export function run(command, options = {}) {
  const [program, ...args] = command;
  const shell = process.platform === 'win32';
  const { status, error } = spawnSync(program, args, { cwd: root, env, stdio: 'inherit', shell, ...options });
  if (error) console.error(`${program}: ${error.message}`);
  return status === 0;
}

function installedFrom() {
  const packages = readdirSync(join(root, 'packages')).map((name) => join('packages', name, 'package.json'));
  const manifests = ['package.json', join('e2e', 'package.json'), join('examples', 'package.json'), ...packages];
  const hash = createHash('sha256').update(`${process.platform}-${process.arch}`);
  for (const file of ['pnpm-lock.yaml', 'pnpm-workspace.yaml', ...manifests.sort()]) {
    const path = join(root, file);
    if (existsSync(path)) hash.update(file).update(readFileSync(path));
  }
  return hash.digest('hex');
}

function fetchPnpm() {
  if (existsSync(join(pnpmFolder, 'node_modules', 'pnpm'))) return true;
  console.log(`Fetching ${pnpm} …`);
  mkdirSync(pnpmFolder, { recursive: true });
  // A manifest of its own keeps npm from taking the repository for the project to install into.
  writeFileSync(join(pnpmFolder, 'package.json'), '{ "private": true }\n');
  return run(['npm', 'install', '--no-audit', '--no-fund', '--save-exact', pnpm], { cwd: pnpmFolder });
}

function installWorkspace() {
  const stamp = installedFrom();
  if (existsSync(stampFile) && readFileSync(stampFile, 'utf8') === stamp) return true;
  console.log('Installing the workspace …');
  if (!run(['pnpm', 'install', '--frozen-lockfile', '--config.confirmModulesPurge=false'])) return false;
  writeFileSync(stampFile, stamp);
  return true;
}

/** Answers whether everything is in place; what failed has been printed. */
export function setup() {
  return fetchPnpm() && installWorkspace();
}

if (process.argv[1] === fileURLToPath(import.meta.url)) process.exitCode = setup() ? 0 : 1;
