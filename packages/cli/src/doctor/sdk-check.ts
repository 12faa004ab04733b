import { readdirSync, readFileSync, statSync } from 'node:fs';
import { basename, extname, join, relative } from 'node:path';
import { type Row, rowsOf, skipped, ok, type Surroundings } from './finding.ts';
import { type Manifest, nearestManifest } from './manifest.ts';
import { runProgram } from './run-program.ts';

const SDK = '@anthropic-ai/claude-agent-sdk';

/**
 * Imports the SDK as a program here would, with the `NODE_OPTIONS` of this shell, and asks whether anybody has put himself around it: the
 * hook of `@spanprism/register` a proxy, every tracing of ours its mark.
 */
const PROBE = `
import { types } from 'node:util';
import * as sdk from '${SDK}';
const isPatched = types.isProxy(sdk.query) || sdk.query?.[Symbol.for('spanprism.wrapped')] === true;
process.stdout.write('\\nspanprism:' + isPatched + '\\n', () => process.exit());
`;

/** Whether a program here that uses the Agent SDK is traced: by an import hook, or because it wraps the SDK itself. */
export async function sdkRows({ cwd, env }: Surroundings): Promise<readonly Row[]> {
  const program = nearestManifest(cwd);
  if (program === undefined || ![...program.dependencies, ...program.devDependencies].includes(SDK)) {
    return [skipped('agent sdk', 'no program here uses it')];
  }
  const place = findWrap(program);
  if (place !== undefined) return [ok('agent sdk', `traced by ${place}`)];
  const args = ['--input-type=module', '--eval', PROBE];
  const { stdout, reason } = await runProgram({ file: process.execPath, args, env, cwd });
  if (stdout.includes('spanprism:true')) return [ok('agent sdk', 'traced by NODE_OPTIONS')];
  const what = stdout.includes('spanprism:false')
    ? 'the program uses the Agent SDK, and nothing traces it'
    : `the Agent SDK cannot be imported here: node ${reason ?? 'said nothing'}`;
  const fix =
    'Start it with node --import @spanprism/register (or set NODE_OPTIONS to that), or wrap the SDK: tracing.wrapSdk(sdk).';
  return rowsOf('agent sdk', [{ code: 'sdk_not_patched', what, where: join(program.folder, 'package.json'), fix }], '');
}

/** What a program says that is traced, in its code or in how it is started. */
const WORDS = /@spanprism\/register|\b(?:wrapSdk|wrapQuery|instrumentClaudeQuery|claudeAgentSdkIntegration)\b/;
const READ: ReadonlySet<string> = new Set([
  '.js',
  '.mjs',
  '.cjs',
  '.ts',
  '.mts',
  '.cts',
  '.jsx',
  '.tsx',
  '.json',
  '.yml',
  '.yaml',
  '.sh',
  '.toml',
]);
const READ_WHOLE: ReadonlySet<string> = new Set(['Dockerfile', 'Procfile', 'Makefile', 'justfile']);
const PASSED: ReadonlySet<string> = new Set(['node_modules', 'package-lock.json', 'dist', 'build', 'coverage']);
const MAX_FILES = 2_000;
const MAX_BYTES = 512 * 1024;

/** The file of a program that has it traced. A big program is read in part, from the top. */
function findWrap({ folder: root }: Manifest): string | undefined {
  let left = MAX_FILES;
  const open = [root];
  for (let folder = open.shift(); folder !== undefined && left > 0; folder = open.shift()) {
    for (const entry of entriesOf(folder)) {
      const path = join(folder, entry.name);
      if (PASSED.has(entry.name) || entry.name.startsWith('.git')) continue;
      if (entry.isDirectory()) open.push(path);
      else if (isRead(entry.name) && left-- > 0 && says(path)) return relative(root, path);
    }
  }
  return undefined;
}

function entriesOf(folder: string) {
  try {
    return readdirSync(folder, { withFileTypes: true }).sort((left, right) => left.name.localeCompare(right.name));
  } catch {
    return [];
  }
}

function isRead(name: string): boolean {
  return READ.has(extname(name)) || READ_WHOLE.has(name);
}

function says(path: string): boolean {
  try {
    if (statSync(path).size > MAX_BYTES) return false;
    const text = readFileSync(path, 'utf8');
    return WORDS.test(basename(path) === 'package.json' ? scriptsOf(text) : text);
  } catch {
    return false;
  }
}

/** A dependency on us says nothing of how the program is started. */
function scriptsOf(manifest: string): string {
  const { scripts = {} }: { scripts?: unknown } = JSON.parse(manifest);
  return JSON.stringify(scripts);
}
