import { build } from 'esbuild';
import { bundled } from '../../scripts/bundle.mjs';

await build(
  bundled(
    {
      index: 'src/index.ts',
      // Found at run time beside the file that starts it.
      'store-thread': 'src/sink/store-thread.ts',
    },
    { target: 'node22.15' },
  ),
);
