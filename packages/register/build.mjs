// Every process that is started with this package pays for its import, most of them for nothing.
import { build } from 'esbuild';
import { bundled } from '../../scripts/bundle.mjs';

await build(
  bundled({
    index: 'src/index.ts',
    hook: 'src/hook.ts',
    sinks: 'src/sinks.ts',
    // Found at run time beside the file that registers it.
    loader: 'src/loader.ts',
  }),
);
