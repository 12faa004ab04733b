import { execFileSync } from 'node:child_process';
import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { beforeAll, describe, expect, inject, test } from 'vitest';
import { NODES } from './lane.ts';

const app = inject('packedFolder');
const installed = join(app, 'node_modules', '@spanprism');

interface Manifest {
  readonly name: string;
  readonly engines: { readonly node: string };
  readonly exports: Readonly<Record<string, Readonly<Record<string, string>>>>;
  readonly bin?: Readonly<Record<string, string>>;
  readonly dependencies?: Readonly<Record<string, string>>;
  readonly peerDependencies?: Readonly<Record<string, string>>;
}

const manifests: readonly Manifest[] = readdirSync(installed).map((name) =>
  JSON.parse(readFileSync(join(installed, name, 'package.json'), 'utf8')),
);
const entriesOf = ({ name, exports }: Manifest): readonly string[] =>
  Object.keys(exports).map((path) => join(name, path));
const entries = manifests.flatMap(entriesOf);

/** Whether a version of Node, as `22.15`, is one that a package is for: `>=20.19`. */
function isFor(version: string, { engines }: Manifest): boolean {
  const [[major = 0, minor = Infinity], [leastMajor = 0, leastMinor = 0]] = [version, engines.node.slice(2)].map(
    (text) => text.split('.').map(Number),
  ) as [number[], number[]];
  return major > leastMajor || (major === leastMajor && minor >= leastMinor);
}

const program = (loaded: string): string => `const entries = JSON.parse(process.argv[2]);
const names = {};
for (const entry of entries) names[entry] = Object.keys(${loaded}).sort();
console.log(JSON.stringify({ node: process.versions.node, names }));
`;

beforeAll(() => {
  writeFileSync(join(app, 'import.mjs'), program('await import(entry)'));
  writeFileSync(join(app, 'require.cjs'), program('require(entry)'));
});

interface Loaded {
  readonly node: string;
  readonly names: Readonly<Record<string, readonly string[]>>;
}

function runIn(node: string, file: string, loaded: readonly string[]): Loaded {
  // No flags and no environment: what a plain `node app.js` does.
  return JSON.parse(execFileSync(node, [file, JSON.stringify(loaded)], { cwd: app, env: {}, encoding: 'utf8' }));
}

describe.each(Object.entries(NODES))('on Node %s', (version, node) => {
  test('every entry that is for it can be imported and required, and gives the same names', () => {
    const own = manifests.filter((manifest) => isFor(version, manifest)).flatMap(entriesOf);
    const imported = runIn(node, 'import.mjs', own);
    const required = runIn(node, 'require.cjs', own);
    expect(imported.node.startsWith(`${version}.`)).toBe(true);
    expect(own).toContain('@spanprism/core');
    expect(Object.keys(imported.names)).toEqual(own);
    expect(required.names).toEqual(imported.names);
  });
});

/** Everything in a tarball, by path inside the package. */
const packed: readonly (readonly [string, readonly string[]])[] = Object.entries(inject('tarballs')).map(
  ([name, tarball]) => {
    const listed = execFileSync('tar', ['-tzf', tarball], { encoding: 'utf8' });
    return [name, listed.split('\n').flatMap((path) => /^package\/(.+)$/.exec(path)?.[1] ?? [])];
  },
);
const textOf = (name: string, path: string): string => readFileSync(join(app, 'node_modules', name, path), 'utf8');

describe.each(packed)('the tarball of %s', (name, paths) => {
  const outside = paths.filter((path) => !path.startsWith('dist/'));

  test('has its manifest, a readme, the licence, and built files alone', () => {
    expect(outside.toSorted()).toEqual(['LICENSE', 'README.md', 'package.json']);
    expect(paths.filter((path) => path.startsWith('dist/') && !/\.(js|d\.ts)$/.test(path))).toEqual([]);
    expect(paths.filter((path) => /\.test\.|__fixtures__|\/recordings\/[^/]+\//.test(path))).toEqual([]);
    expect(paths.filter((path) => textOf(name, path).includes('sourceMappingURL'))).toEqual([]);
  });

  test('has every file that its manifest names', () => {
    const { exports = {}, bin = {} }: Partial<Manifest> = JSON.parse(textOf(name, 'package.json'));
    const named = [...Object.values(exports).flatMap((entry) => Object.values(entry)), ...Object.values(bin)];
    expect(named.filter((path) => !paths.includes(path.replace('./', '')))).toEqual([]);
  });

  test('has no `any` in its types', () => {
    const found = paths
      .filter((path) => path.endsWith('.d.ts'))
      .flatMap((path) => withoutComments(textOf(name, path)).match(/.*\bany\b.*/g) ?? []);
    expect(found).toEqual([]);
  });
});

/** Code without comments, and without what is in quotes. */
function withoutComments(code: string): string {
  return code.replaceAll(/\/\*[^]*?\*\/|\/\/.*|'[^'\n]*'/g, '');
}

/** Of an ES import, Node reads every export, lazy ones too: 10 ms of the start of a command. */
test.each(['spanprism', '@spanprism/core', '@spanprism/store', '@spanprism/register'])(
  '%s asks for the modules of Node by name',
  (name) => {
    const files = packed.find(([one]) => one === name)?.[1].filter((path) => path.endsWith('.js')) ?? [];
    expect(files.length).toBeGreaterThan(1);
    expect(files.filter((path) => /(from|import) ?["']node:/.test(textOf(name, path)))).toEqual([]);
  },
);

test('the command brings what it uses of the other packages', () => {
  const { dependencies = {} }: Partial<Manifest> = JSON.parse(textOf('spanprism', 'package.json'));
  expect(Object.keys(dependencies)).toEqual(['@grpc/grpc-js']);
});

test('core has no runtime dependency', () => {
  const core = manifests.find(({ name }) => name === '@spanprism/core');
  expect(core?.dependencies ?? {}).toEqual({});
});

test('the thread that receives telemetry lies beside the code that starts it', () => {
  const [, paths] = packed.find(([name]) => name === '@spanprism/core')!;
  expect(paths).toContain('dist/loopback-thread.js');
});

test('OpenTelemetry is a peer, and an optional one, of the one package that has an entry for it', () => {
  const peers = manifests.flatMap(({ name, peerDependencies = {} }) =>
    Object.keys(peerDependencies).flatMap((peer) => (peer.startsWith('@opentelemetry/') ? [[name, peer]] : [])),
  );
  expect(peers).toEqual([['@spanprism/claude-otlp', '@opentelemetry/api']]);
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
