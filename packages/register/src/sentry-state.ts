interface Scope {
  getClient?(): unknown;
}

/** What all copies of one version of Sentry's SDK share. */
interface Shared {
  readonly acs?: { getCurrentScope?(): Scope };
  readonly defaultCurrentScope?: Scope;
}

/**
 * Whether the program has initialised Sentry, asked of the global on which Sentry keeps its state. To ask `@sentry/node` itself is to
 * require it: 200 ms in a program that imports it, and so has another build of it loaded.
 */
export function isSentryLive(): boolean {
  const carrier: unknown = Reflect.get(globalThis, '__SENTRY__');
  if (typeof carrier !== 'object' || carrier === null) return false;
  return Object.values(carrier).some((shared: Shared | undefined) => {
    const scope = shared?.acs?.getCurrentScope?.() ?? shared?.defaultCurrentScope;
    return scope?.getClient?.() !== undefined;
  });
}
