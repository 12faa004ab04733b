import { createRequire } from 'node:module';
import { pathToFileURL } from 'node:url';
import type { createHook, LoaderHook } from 'import-in-the-middle/create-hook.mjs';
import { isSdkEntry } from './sdk-entry.ts';

/** The loader hooks of import-in-the-middle, for the SDK alone. */
export function sdkHooks(create: typeof createHook): LoaderHook {
  // It looks for its own parts beside this file of it.
  const url = pathToFileURL(createRequire(import.meta.url).resolve('import-in-the-middle/hook.mjs')).href;
  const hooks = create({ url });
  hooks.applyOptions({ shouldInclude: isSdkEntry });
  return hooks;
}

/** Whether a URL is that of a module that these hooks have made. */
export function isMade(url: string): boolean {
  return url.includes('iitm=');
}
