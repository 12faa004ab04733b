import { build } from 'esbuild';
import { bundled } from '../../scripts/bundle.mjs';

await build(bundled({ index: 'src/index.ts', 'otel/index': 'src/otel/index.ts' }));
