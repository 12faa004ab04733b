// Every command is a chunk of its own that is loaded when it is called for: `spanprism claude` pays for nothing but itself.
import { fileURLToPath } from 'node:url';
import { build } from 'esbuild';
import { bundled } from '../../scripts/bundle.mjs';

await build({
  ...bundled({ main: 'src/main.ts' }),
  // `claude` starts when this has been loaded: a few hundred lines are read sooner than a package is looked for.
  alias: { '@spanprism/core/child': fileURLToPath(new URL('../core/src/child.ts', import.meta.url)) },
});
