import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import type * as core from '@spanprism/core';
import { inject } from 'vitest';

type Core = typeof core;

/** The package as a user installs it; its sources where nothing was packed. */
export async function loadCore(): Promise<Core> {
  const app = inject('packedFolder') as string | undefined;
  if (app === undefined) return import('@spanprism/core');
  return import(pathToFileURL(join(app, 'node_modules', '@spanprism', 'core', 'dist', 'index.js')).href);
}
