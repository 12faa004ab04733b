import type { Exports } from './sdk-copies.ts';

/** What `require()` gives in place of a module's own namespace, whose bindings nobody can set: the same names, read when they are asked for. */
export function requiredNamespace(namespace: object): { readonly facade: object; show(exports: Exports): void } {
  let shown: Exports = {};
  const getters = Object.keys(namespace).map((name): [string, PropertyDescriptor] => [
    name,
    // A member that no copy of the SDK was known to have is the namespace's own.
    { enumerable: true, get: () => (Object.hasOwn(shown, name) ? shown[name] : Reflect.get(namespace, name)) },
  ]);
  const facade: object = Object.create(null, Object.fromEntries(getters));
  Object.defineProperty(facade, Symbol.toStringTag, { value: 'Module' });
  return {
    facade,
    show: (exports) => {
      shown = exports;
    },
  };
}
