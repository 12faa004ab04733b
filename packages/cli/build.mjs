// Every command is a chunk of its own that is loaded when it is called for: `spanprism claude` pays for nothing but itself.
import { build } from 'esbuild';
import { bundled } from '../../scripts/bundle.mjs';

await build(bundled({ main: 'src/main.ts' }));
