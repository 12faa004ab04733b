import { realpathSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { type Finding, type Row, rowsOf, skipped, type Surroundings } from './finding.ts';
import { type Manifest, nearestManifest, readManifest } from './manifest.ts';

/** What holds a process's providers, or talks to them. */
const PACKAGES: readonly string[] = [
  '@opentelemetry/api',
  '@opentelemetry/core',
  '@opentelemetry/sdk-trace-base',
  '@opentelemetry/sdk-trace-node',
];

/** More than any program's; a bound for folders that link to each other. */
const MAX_PACKAGES = 5_000;

/** Whether a program here would load two majors of OpenTelemetry, found by walking its dependencies as Node resolves them. */
export function otelRows({ cwd }: Surroundings): readonly Row[] {
  const program = nearestManifest(cwd);
  if (program === undefined) return [skipped('opentelemetry', 'no package.json here')];
  const copies = installedBelow(program).filter(({ name }) => PACKAGES.includes(name));
  const split = PACKAGES.filter((name) => majors(copies, name).length > 1);
  const seen = [...new Set(copies.map(({ name, version }) => `${name.replace('@opentelemetry/', '')} ${version}`))];
  return rowsOf(
    'opentelemetry',
    // Packages of one release come together: one finding says it all.
    split.slice(0, 1).map((name) => twoMajors(name, majors(copies, name))),
    seen.length === 0 ? 'none is used here' : seen.sort().join(', '),
  );
}

function twoMajors(name: string, copies: readonly Manifest[]): Finding {
  return {
    code: 'two_otel_majors',
    what: `${name} is loaded as ${copies.map(({ version }) => version).join(' and as ')}, which do not see each other's spans`,
    where: copies.map(({ folder }) => folder).join(', '),
    fix: `Bring them to one major: npm ls ${name} shows who asks for which.`,
  };
}

/** One copy of each major of a package. */
function majors(copies: readonly Manifest[], name: string): readonly Manifest[] {
  const byMajor = new Map<string, Manifest>();
  for (const copy of copies) if (copy.name === name) byMajor.set(copy.version.split('.')[0] ?? '', copy);
  return [...byMajor.values()].sort((left, right) => left.version.localeCompare(right.version));
}

function installedBelow(root: Manifest): readonly Manifest[] {
  const found = new Map<string, Manifest>();
  const open = [root];
  for (let next = open.pop(); next !== undefined && found.size < MAX_PACKAGES; next = open.pop()) {
    if (found.has(next.folder)) continue;
    found.set(next.folder, next);
    for (const dependency of next.dependencies) {
      const folder = folderOf(dependency, next.folder);
      const manifest = folder === undefined || found.has(folder) ? undefined : readManifest(folder);
      if (manifest !== undefined) open.push(manifest);
    }
  }
  return [...found.values()];
}

/** As Node looks: `node_modules` beside the package, then further up. */
function folderOf(name: string, from: string): string | undefined {
  for (let place = from; ; place = dirname(place)) {
    try {
      return realpathSync(join(place, 'node_modules', name));
    } catch {
      if (dirname(place) === place) return undefined;
    }
  }
}
