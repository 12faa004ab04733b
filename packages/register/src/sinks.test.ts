import { join } from 'node:path';
import { build } from 'esbuild';
import { expect, test } from 'vitest';
import { chooseSinks } from './sinks.ts';

test('without a word on Sentry’s SDK, a DSN means Sentry without it', () => {
  const otlp = { sentryOtlp: () => ({ name: 'sentryOtlp' }) };
  const environment = { SENTRY_DSN: 'https://k@o1.ingest.sentry.io/2' };
  const { found, problems } = chooseSinks({ environment }, (name) =>
    name === '@spanprism/claude-otlp' ? otlp : undefined,
  );
  expect([found, problems]).toEqual([['sentryOtlp (SENTRY_DSN)'], []]);
});

test('the choice of sinks does not load what hooks imports', async () => {
  const { metafile } = await build({
    entryPoints: [join(import.meta.dirname, 'sinks.ts')],
    bundle: true,
    write: false,
    metafile: true,
    format: 'esm',
    platform: 'node',
    packages: 'external',
  });
  const loaded = Object.values(metafile.outputs).flatMap(({ imports }) => imports.map(({ path }) => path));
  expect(loaded.filter((path) => !path.startsWith('@spanprism/core'))).toEqual([]);
});
