// Runs on Node's thread for loader hooks, where a version of Node has no hooks in the program's own thread.
import type { LoadHook, ResolveHook } from 'node:module';
import { createHook } from 'import-in-the-middle/create-hook.mjs';
import { mayBeSdk } from './sdk-entry.ts';
import { isMade, sdkHooks } from './sdk-hooks.ts';

const hooks = sdkHooks(createHook);

export const resolve: ResolveHook = (specifier, context, nextResolve) =>
  mayBeSdk(specifier) ? hooks.resolve(specifier, context, nextResolve) : nextResolve(specifier, context);

export const load: LoadHook = (url, context, nextLoad) =>
  isMade(url) ? hooks.load(url, context, nextLoad) : nextLoad(url, context);
