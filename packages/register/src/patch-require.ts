import Module from 'node:module';
import { pathToFileURL } from 'node:url';
import { requiredNamespace } from './required-namespace.ts';
import { isSdkEntry, mayBeSdk } from './sdk-entry.ts';
import type { SdkCopies } from './sdk-copies.ts';

type Load = (this: unknown, ...parameters: readonly [request: unknown, parent: unknown, isMain: unknown]) => unknown;

/** The parts of Node's CommonJS loader that every instrumentation hooks; they are not in its types. */
interface CommonJsLoader {
  _load: Load;
  _resolveFilename(request: string, parent: unknown, isMain: unknown): string;
}

/** Import hooks do not see `require()`, on no version of Node in the same way; its loader is the one place that does. */
export function patchRequire(copies: SdkCopies): void {
  const loader = Module as unknown as CommonJsLoader;
  const load = loader._load;
  // By the module's own namespace: what is required twice is the same object twice.
  const facades: WeakMap<object, object> = new WeakMap();
  loader._load = function (this: unknown, ...parameters: Parameters<Load>): unknown {
    const loaded = Reflect.apply(load, this, parameters);
    const [request, parent, isMain] = parameters;
    if (!mayBeSdk(request) || typeof loaded !== 'object' || loaded === null) return loaded;
    const known = facades.get(loaded);
    if (known !== undefined) return known;
    const url = pathToFileURL(loader._resolveFilename(request, parent, isMain)).href;
    if (!isSdkEntry(url, request)) return loaded;
    const { facade, show } = requiredNamespace(loaded);
    facades.set(loaded, facade);
    copies.loaded(url, loaded, show);
    return facade;
  };
}
