import { execFileSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, readFileSync, realpathSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { TestProject } from 'vitest/node';

declare module 'vitest' {
  interface ProvidedContext {
    /** A folder outside the repository in which the packed packages are installed. */
    packedFolder: string;
    /** Path of each package's tarball by package name. */
    tarballs: Readonly<Record<string, string>>;
  }
}

const e2e = dirname(dirname(fileURLToPath(import.meta.url)));
const root = dirname(e2e);

/**
 * Runs once before all tests of this project: builds and packs every package, and installs the tarballs with npm into
 * an empty folder, as a user would. Tests get the folder by `inject('packedFolder')` and run their programs in it.
 */
export default function setup(project: TestProject): () => void {
  const folder = realpathSync(mkdtempSync(join(tmpdir(), 'spanprism-packed-')));
  const remove = (): void => rmSync(folder, { recursive: true, force: true });
  try {
    const tarballs = pack(join(folder, 'tarballs'));
    const app = join(folder, 'app');
    install(app, Object.values(tarballs));
    linkPeers(app);
    project.provide('packedFolder', app);
    project.provide('tarballs', tarballs);
    return remove;
  } catch (error) {
    remove();
    throw error;
  }
}

function pack(folder: string): Record<string, string> {
  execFileSync('turbo', ['run', 'build', '--output-logs=errors-only'], {
    cwd: root,
    stdio: ['ignore', 'inherit', 'inherit'],
  });
  return JSON.parse(execFileSync('node', [join(root, 'scripts', 'pack.mjs'), folder], { encoding: 'utf8' }));
}

function install(app: string, packages: readonly string[]): void {
  mkdirSync(app);
  writeFileSync(join(app, 'package.json'), '{ "name": "app", "version": "1.0.0", "private": true }\n');
  const quiet = ['--no-audit', '--no-fund', '--prefer-offline', '--loglevel=error'];
  execFileSync('npm', ['install', ...quiet, ...packages], { cwd: app, stdio: ['ignore', 'ignore', 'inherit'] });
}

/** What a user brings himself (the Agent SDK with its binary, OpenTelemetry) is linked: copying it takes 300 MB. */
function linkPeers(app: string): void {
  const manifest: { devDependencies: Record<string, string> } = JSON.parse(
    readFileSync(join(e2e, 'package.json'), 'utf8'),
  );
  const own = (name: string): boolean => name.startsWith('@spanprism/') || name.startsWith('node-');
  link(
    app,
    Object.keys(manifest.devDependencies).filter((name) => !own(name)),
  );
}

/** Puts packages of this workspace into the `node_modules` of a folder, in place of any that are there. */
export function link(app: string, names: readonly string[]): void {
  for (const name of names) {
    const target = join(app, 'node_modules', name);
    rmSync(target, { recursive: true, force: true });
    mkdirSync(dirname(target), { recursive: true });
    symlinkSync(realpathSync(join(e2e, 'node_modules', name)), target, 'dir');
  }
}
