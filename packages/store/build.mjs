// Few files in place of thirty, as in core: each further one costs an importing program a fraction of a millisecond.
import { build } from 'esbuild';

await build({
  entryPoints: {
    index: 'src/index.ts',
    // Found at run time beside the file that starts it.
    'store-thread': 'src/sink/store-thread.ts',
  },
  outdir: 'dist',
  bundle: true,
  splitting: true,
  format: 'esm',
  platform: 'node',
  target: 'node22.15',
  packages: 'external',
  legalComments: 'none',
});
