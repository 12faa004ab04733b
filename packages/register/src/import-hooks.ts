import module, { createRequire, type LoadHookSync, type ResolveHookSync } from 'node:module';
import { pathToFileURL } from 'node:url';
import type * as iitm from 'import-in-the-middle';
import type * as iitmLoader from 'import-in-the-middle/create-hook.mjs';
import { supportsSyncHooks } from 'import-in-the-middle/supports-sync-hooks.mjs';
import { isSdkEntry, mayBeSdk } from './sdk-entry.ts';
import type { SdkCopies } from './sdk-copies.ts';

const require = createRequire(import.meta.url);

/**
 * Sees imports of the SDK. The loader hooks are made here, for the SDK alone, and not by the `register` of import-in-the-middle: that one
 * works once per process, and belongs to whoever else instruments the program.
 */
export function patchImport(copies: SdkCopies): void {
  const listen = listenOnce(copies);
  if (supportsSyncHooks()) return hookInThread(listen);
  listen();
  const loader = import.meta.url.endsWith('.ts') ? './loader.ts' : './loader.js';
  module.register(loader, import.meta.url, { data: { url: iitmUrl() } });
}

/** Hears of each namespace that the loader hooks have made settable. */
function listenOnce(copies: SdkCopies): () => void {
  let isListening = false;
  return () => {
    if (isListening) return;
    isListening = true;
    const { addHook } = require('import-in-the-middle') as typeof iitm;
    addHook((url, namespace, specifier = '') => {
      if (!isSdkEntry(url, specifier)) return;
      copies.loaded(url, namespace, (exports) => {
        for (const [name, value] of Object.entries(exports)) if (namespace[name] !== value) namespace[name] = value;
      });
    });
  };
}

// `registerHooks` is asked of the module object: a named import of what Node 20 has not fails.
/** Nothing is loaded, and no load is hooked, until a module is asked for that may be the SDK. */
function hookInThread(listen: () => void): void {
  let hooks: iitmLoader.LoaderHook | undefined;
  const start = (): iitmLoader.LoaderHook => {
    listen();
    const { createHook } = require('import-in-the-middle/create-hook.mjs') as typeof iitmLoader;
    const made = createHook({ url: iitmUrl() });
    made.applyOptions({ shouldInclude: isSdkEntry });
    const load: LoadHookSync = (url, context, nextLoad) =>
      url.includes('iitm=') ? made.loadSync(url, context, nextLoad) : nextLoad(url, context);
    module.registerHooks({ load });
    return made;
  };
  const resolve: ResolveHookSync = (specifier, context, nextResolve) => {
    if (!mayBeSdk(specifier)) return nextResolve(specifier, context);
    hooks ??= start();
    return hooks.resolveSync(specifier, context, nextResolve);
  };
  module.registerHooks({ resolve });
}

/** Of the file beside which import-in-the-middle looks for its own parts. */
function iitmUrl(): string {
  return pathToFileURL(require.resolve('import-in-the-middle/hook.mjs')).href;
}
