/** What of OpenTelemetry's context API is needed here. */
interface ContextManager {
  active(): { setValue(key: symbol, value: unknown): unknown };
  with<T>(context: unknown, run: () => T): T;
}

/** Where `@opentelemetry/api` 1.x keeps its registrations, and the key its instrumentations look for before they trace. */
const REGISTRY = Symbol.for('opentelemetry.js.api.1');
const SUPPRESS = Symbol.for('OpenTelemetry SDK Context Key SUPPRESS_TRACING');

/**
 * Runs our own request unseen by the host's HTTP instrumentation, which would else trace every export, and with each trace
 * start another. Without `@opentelemetry/api`, which this entry must not import, its registry is the only door.
 */
export function suppressTracing<T>(run: () => T): T {
  const manager = registeredManager();
  return manager === undefined ? run() : manager.with(manager.active().setValue(SUPPRESS, true), run);
}

function registeredManager(): ContextManager | undefined {
  const registry: unknown = Reflect.get(globalThis, REGISTRY);
  if (typeof registry !== 'object' || registry === null || !('context' in registry)) return undefined;
  return isManager(registry.context) ? registry.context : undefined;
}

function isManager(value: unknown): value is ContextManager {
  if (typeof value !== 'object' || value === null) return false;
  return 'active' in value && typeof value.active === 'function' && 'with' in value && typeof value.with === 'function';
}
