// `npm run build:backends`: what the tests against real backends need, for when there is something else to do meanwhile.
import { fileURLToPath } from 'node:url';
import { builtCollector } from './built-collector.ts';
import type { Build } from './cached-build.ts';
import { buildCollector } from './collector.ts';
import { buildPhoenix } from './phoenix.ts';

/** Where the real backends are, or why there are none. */
export interface Backends {
  readonly collector: Build;
  readonly phoenix: Build;
  /** A Collector with the load-balancing exporter. */
  readonly balancer: Build;
}

/** Builds the backends that the cache does not have. */
export async function buildBackends(): Promise<Backends> {
  const [collector, phoenix, balancer] = await Promise.all([buildCollector(), buildPhoenix(), buildBalancer()]);
  return { collector, phoenix, balancer };
}

/** The last version of the load-balancing exporter that can be had as a module. */
const buildBalancer = (): Promise<Build> => builtCollector('balancer', '0.161.0');

// Whoever runs the tests later is told what could not be had.
if (process.argv[1] === fileURLToPath(import.meta.url)) await buildBackends();
