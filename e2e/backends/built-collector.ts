import { cpSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { type Build, cachedBuild, done, fetched } from './cached-build.ts';

const FILES = ['manifest.yaml', 'go.mod', 'go.sum'];

/** An OpenTelemetry Collector, built by its own builder from the modules that the `go.mod` in the folder of that name pins. */
export function builtCollector(name: string, version: string): Promise<Build> {
  const sources = join(import.meta.dirname, name);
  const builder = `go.opentelemetry.io/collector/cmd/builder@v${version}`;
  const inputs = [builder, ...FILES.map((file) => readFileSync(join(sources, file), 'utf8'))];
  return cachedBuild({ name, inputs, make: (folder, timeLeftMs) => make({ sources, builder, folder, timeLeftMs }) });
}

interface Making {
  readonly sources: string;
  readonly builder: string;
  readonly folder: string;
  readonly timeLeftMs: () => number;
}

async function make({ sources, builder, folder, timeLeftMs }: Making): Promise<void> {
  const env = { CGO_ENABLED: '0', GOWORK: 'off', GOBIN: folder };
  const go = (...words: readonly string[]) => ({ program: 'go', words, cwd: folder, env, timeoutMs: timeLeftMs() });
  const build = (...words: readonly string[]) => ({
    program: join(folder, 'builder'),
    words: ['--config', 'manifest.yaml', '--skip-get-modules', ...words],
    cwd: folder,
    env,
    timeoutMs: timeLeftMs(),
  });
  await fetched('Go is needed', { ...go('version'), cwd: sources });
  for (const file of FILES) cpSync(join(sources, file), join(folder, file));
  await fetched("the Collector's builder could not be fetched", go('install', builder));
  await done("the Collector's builder", build('--skip-compilation'));
  await fetched("the Collector's modules could not be fetched", go('list', '-deps', '.'));
  await done("the Collector's build", build('--skip-generate'));
}
