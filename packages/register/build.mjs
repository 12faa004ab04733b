// Every process that is started with this package pays for its import, most of them for nothing: few files, as in core.
import { build } from 'esbuild';

await build({
  entryPoints: {
    index: 'src/index.ts',
    hook: 'src/hook.ts',
    sinks: 'src/sinks.ts',
    // Found at run time beside the file that registers it.
    loader: 'src/loader.ts',
  },
  outdir: 'dist',
  bundle: true,
  splitting: true,
  format: 'esm',
  platform: 'node',
  target: 'node20.19',
  packages: 'external',
  legalComments: 'none',
});
