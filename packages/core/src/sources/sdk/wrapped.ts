/** Known to all copies of this package, so that a query wrapped by one is not wrapped again by another. */
export const WRAPPED: unique symbol = Symbol.for('spanprism.wrapped');

export function isWrapped(value: unknown): boolean {
  return (
    (typeof value === 'function' || (typeof value === 'object' && value !== null)) &&
    Reflect.get(value, WRAPPED) === true
  );
}

export function markWrapped<T extends object>(value: T): T {
  Object.defineProperty(value, WRAPPED, { value: true });
  return value;
}
