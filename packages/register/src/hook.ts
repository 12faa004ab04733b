import { patchImport } from './import-hooks.ts';
import { patchRequire } from './patch-require.ts';
import { say } from './say.ts';
import { SdkCopies, type Wrap } from './sdk-copies.ts';

/** Known to all copies of this package: the program's loader is hooked once. */
const COPIES: unique symbol = Symbol.for('spanprism.register.sdk-copies');
type Hooked = typeof globalThis & { [COPIES]?: Pick<SdkCopies, 'add'> };

/**
 * Calls `wrap` with the namespace of each copy of the Agent SDK (its main and its `/core` entry, imported or required) that is loaded from
 * now on, and gives the program what it answers: an object in which members of the namespace are replaced, as `tracing.wrapSdk` makes one.
 * Several wraps see each other's work, in the order in which they were registered. Answers the undo, after which the other wraps are
 * called again. Import bindings change with it; what a program took out of `require()` before does not.
 *
 * @example
 * const undo = onSdkImport((sdk) => tracing.wrapSdk(sdk));
 */
export function onSdkImport(wrap: (namespace: object) => object): () => void {
  return hookedCopies().add(wrap satisfies Wrap);
}

function hookedCopies(): Pick<SdkCopies, 'add'> {
  const shared = globalThis as Hooked;
  if (shared[COPIES] !== undefined) return shared[COPIES];
  const copies = new SdkCopies(tellFailure);
  Object.defineProperty(shared, COPIES, { value: copies });
  patchRequire(copies);
  patchImport(copies);
  return copies;
}

function tellFailure(error: unknown): void {
  const reason = error instanceof Error ? error.message : String(error);
  say(`a copy of the Agent SDK is not traced: ${reason}`);
}
