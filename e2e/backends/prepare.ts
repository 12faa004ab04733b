import { styleText } from 'node:util';
import type { TestProject } from 'vitest/node';
import type { Build } from './cached-build.ts';
import { buildBackends } from './build.ts';

declare module 'vitest' {
  interface ProvidedContext {
    /** Where the real backends are, or why there are none. */
    backends: { readonly collector: Build; readonly phoenix: Build };
  }
}

/** Runs once before all tests of this project: builds the backends that the cache does not have. */
export default async function setup(project: TestProject): Promise<() => void> {
  console.log('Looking for the real backends; building them takes minutes, once …');
  const { collector, phoenix } = await buildBackends();
  project.provide('backends', { collector, phoenix });
  const missing = Object.entries({ collector, phoenix }).flatMap(([name, { absent }]) =>
    absent === undefined ? [] : [`SKIPPED, no real ${name}: ${absent}`],
  );
  const warn = (): void => {
    for (const line of missing) console.warn(styleText(['yellow', 'bold'], line));
  };
  warn();
  // Said again where it is read: at the end.
  return warn;
}
