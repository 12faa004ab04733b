// `npm run build:backends`: what the tests against real backends need, for when there is something else to do meanwhile.
import { fileURLToPath } from 'node:url';
import type { Build } from './cached-build.ts';
import { buildCollector } from './collector.ts';
import { buildPhoenix } from './phoenix.ts';

/** Where the real backends are, or why there are none. */
export interface Backends {
  readonly collector: Build;
  readonly phoenix: Build;
}

/** Builds the backends that the cache does not have. */
export async function buildBackends(): Promise<Backends> {
  const [collector, phoenix] = await Promise.all([buildCollector(), buildPhoenix()]);
  return { collector, phoenix };
}

// Whoever runs the tests later is told what could not be had.
if (process.argv[1] === fileURLToPath(import.meta.url)) await buildBackends();
