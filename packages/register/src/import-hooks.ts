import module, { createRequire, type LoadHookSync, type ResolveHookSync } from 'node:module';
import type * as iitm from 'import-in-the-middle';
import type * as iitmLoader from 'import-in-the-middle/create-hook.mjs';
import { supportsSyncHooks } from 'import-in-the-middle/supports-sync-hooks.mjs';
import type { SdkCopies } from './sdk-copies.ts';
import { isSdkEntry, mayBeSdk } from './sdk-entry.ts';
import { isMade, sdkHooks } from './sdk-hooks.ts';

const require = createRequire(import.meta.url);

/**
 * Sees imports of the SDK. The loader hooks are made here, for the SDK alone, and not by the `register` of import-in-the-middle: that one
 * works once per process, and belongs to whoever else instruments the program.
 */
export function patchImport(copies: SdkCopies): void {
  if (supportsSyncHooks()) return hookInThread(copies);
  listen(copies);
  module.register(import.meta.url.endsWith('.ts') ? './loader.ts' : './loader.js', import.meta.url);
}

/** Hears of each namespace that the loader hooks have made settable. */
function listen(copies: SdkCopies): void {
  const { addHook } = require('import-in-the-middle') as typeof iitm;
  addHook((url, namespace, specifier = '') => {
    if (!isSdkEntry(url, specifier)) return;
    copies.loaded(url, namespace, (exports) => {
      for (const [name, value] of Object.entries(exports)) if (namespace[name] !== value) namespace[name] = value;
    });
  });
}

/** Nothing is loaded, and no load is hooked, until a module is asked for that may be the SDK. */
function hookInThread(copies: SdkCopies): void {
  let hooks: iitmLoader.LoaderHook | undefined;
  const resolve: ResolveHookSync = (specifier, context, nextResolve) => {
    if (!mayBeSdk(specifier)) return nextResolve(specifier, context);
    hooks ??= start(copies);
    return hooks.resolveSync(specifier, context, nextResolve);
  };
  // Asked of the module object: a named import of what Node 20 does not have fails.
  module.registerHooks({ resolve });
}

function start(copies: SdkCopies): iitmLoader.LoaderHook {
  listen(copies);
  const { createHook } = require('import-in-the-middle/create-hook.mjs') as typeof iitmLoader;
  const hooks = sdkHooks(createHook);
  const load: LoadHookSync = (url, context, nextLoad) =>
    isMade(url) ? hooks.loadSync(url, context, nextLoad) : nextLoad(url, context);
  module.registerHooks({ load });
  return hooks;
}
