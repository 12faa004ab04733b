import { execFileSync } from 'node:child_process';
import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { beforeAll, describe, expect, inject, test } from 'vitest';

const app = inject('packedFolder');
const installed = join(app, 'node_modules', '@spanprism');
const e2e = dirname(dirname(fileURLToPath(import.meta.url)));

interface Manifest {
  readonly name: string;
  readonly exports: Readonly<Record<string, Readonly<Record<string, string>>>>;
  readonly dependencies?: Readonly<Record<string, string>>;
}

const manifests: readonly Manifest[] = readdirSync(installed).map((name) =>
  JSON.parse(readFileSync(join(installed, name, 'package.json'), 'utf8')),
);
const entries = manifests.flatMap(({ name, exports }) => Object.keys(exports).map((path) => join(name, path)));

const nodes = {
  '20.19.0': join(e2e, 'node_modules', 'node-20', 'bin', 'node'),
  '22.15.0': join(e2e, 'node_modules', 'node-22', 'bin', 'node'),
  [process.versions.node]: process.execPath,
};

const program = (loaded: string): string => `const entries = ${JSON.stringify(entries)};
const names = {};
for (const entry of entries) names[entry] = Object.keys(${loaded}).sort();
console.log(JSON.stringify({ node: process.versions.node, names }));
`;

beforeAll(() => {
  writeFileSync(join(app, 'import.mjs'), program('await import(entry)'));
  writeFileSync(join(app, 'require.cjs'), program('require(entry)'));
});

function runIn(node: string, file: string): { node: string; names: Record<string, string[]> } {
  // No flags and no environment: what a plain `node app.js` does.
  return JSON.parse(execFileSync(node, [file], { cwd: app, env: {}, encoding: 'utf8' }));
}

describe.each(Object.entries(nodes))('on Node %s', (version, node) => {
  test('every entry can be imported and required, and gives the same names', () => {
    const imported = runIn(node, 'import.mjs');
    const required = runIn(node, 'require.cjs');
    expect(imported.node).toBe(version);
    expect(Object.keys(imported.names)).toEqual(entries);
    expect(required.names).toEqual(imported.names);
  });
});

test('core has no runtime dependency', () => {
  const core = manifests.find(({ name }) => name === '@spanprism/core');
  expect(core?.dependencies ?? {}).toEqual({});
});

test('no manifest that is published leads to sources', () => {
  const targets = manifests.flatMap(({ exports }) => Object.values(exports).flatMap((entry) => Object.values(entry)));
  expect(targets.filter((target) => !target.startsWith('./dist/'))).toEqual([]);
});

test('the published types compile in a strict program that checks its libraries', () => {
  const imports = entries.map((entry, index) => `import * as entry${index} from '${entry}';`);
  const uses = entries.map((_, index) => `entry${index}`).join(', ');
  writeFileSync(join(app, 'types.mts'), `${imports.join('\n')}\nexport const all: readonly object[] = [${uses}];\n`);
  const options = {
    strict: true,
    module: 'nodenext',
    target: 'es2023',
    noEmit: true,
    types: ['node'],
    skipLibCheck: false,
  };
  writeFileSync(join(app, 'tsconfig.json'), JSON.stringify({ compilerOptions: options, files: ['types.mts'] }));
  const compile = (): string => execFileSync('tsc', ['-p', app], { cwd: app, encoding: 'utf8' });
  expect(compile).not.toThrow();
});
