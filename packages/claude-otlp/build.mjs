// Few files in place of fifty, as in core: each further one costs an importing program a fraction of a millisecond.
import { build } from 'esbuild';

await build({
  entryPoints: { index: 'src/index.ts', 'otel/index': 'src/otel/index.ts' },
  outdir: 'dist',
  bundle: true,
  splitting: true,
  format: 'esm',
  platform: 'node',
  target: 'node20.19',
  packages: 'external',
  legalComments: 'none',
});
