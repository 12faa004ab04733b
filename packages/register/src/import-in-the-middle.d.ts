/** The part of import-in-the-middle that its own types leave out: its loader hooks, for callers with a choice of modules of their own. */
declare module 'import-in-the-middle/create-hook.mjs' {
  import type { LoadHook, LoadHookSync, ResolveHook, ResolveHookSync } from 'node:module';

  export interface LoaderHook {
    readonly resolve: ResolveHook;
    readonly load: LoadHook;
    readonly resolveSync: ResolveHookSync;
    readonly loadSync: LoadHookSync;
    applyOptions(options: { readonly shouldInclude: (url: string, specifier: string) => boolean }): void;
  }
  /** `url` is that of a file in the package's folder. */
  export function createHook(meta: { readonly url: string }): LoaderHook;
}

declare module 'import-in-the-middle/supports-sync-hooks.mjs' {
  export function supportsSyncHooks(): boolean;
}
