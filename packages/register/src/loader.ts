// Runs on Node's thread for loader hooks, where a version of Node has no hooks in the program's own thread.
import type { LoadHook, ResolveHook } from 'node:module';
import { createHook, type LoaderHook } from 'import-in-the-middle/create-hook.mjs';
import { isSdkEntry, mayBeSdk } from './sdk-entry.ts';

let hook: LoaderHook | undefined;

/** Told by `register()`: the URL of import-in-the-middle. */
export function initialize({ url }: { readonly url: string }): void {
  hook = createHook({ url });
  hook.applyOptions({ shouldInclude: isSdkEntry });
}

export const resolve: ResolveHook = (specifier, context, nextResolve) =>
  hook !== undefined && mayBeSdk(specifier)
    ? hook.resolve(specifier, context, nextResolve)
    : nextResolve(specifier, context);

export const load: LoadHook = (url, context, nextLoad) =>
  hook !== undefined && url.includes('iitm=') ? hook.load(url, context, nextLoad) : nextLoad(url, context);
