import { styleText } from 'node:util';
import type { TestProject } from 'vitest/node';
import { type Backends, buildBackends } from './build.ts';

declare module 'vitest' {
  interface ProvidedContext {
    backends: Backends;
  }
}

/** Runs once before all tests of this project: builds the backends that the cache does not have. */
export default async function setup(project: TestProject): Promise<() => void> {
  console.log('Looking for the real backends; building them takes minutes, once …');
  const backends = await buildBackends();
  project.provide('backends', backends);
  const missing = Object.entries(backends).flatMap(([name, { absent }]) =>
    absent === undefined ? [] : [`SKIPPED, no real ${name}: ${absent}`],
  );
  const warn = (): void => {
    for (const line of missing) console.warn(styleText(['yellow', 'bold'], line));
  };
  warn();
  // Said again where it is read: at the end.
  return warn;
}
