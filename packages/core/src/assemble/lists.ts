/** What most lists of most nodes are. Frozen: whoever adds to it gets a list of his own. */
export const NONE: never[] = Object.freeze([]) as unknown as never[];

/** A list of one owner with one item more: the same list, unless it was empty. */
export function appended<T>(list: T[], item: T): T[] {
  if (list.length === 0) return [item];
  list.push(item);
  return list;
}

// What is open at a node is seldom more than a few. A change makes a new list, so that who goes through one goes through what was in
// it at the beginning. No `Set`: of those from which much is deleted, each table that is outgrown keeps its successor from dying young.

/** In the order in which they came. */
export type Open<T> = readonly T[];

export function opened<T>(open: Open<T>, item: T): Open<T> {
  if (open.length === 0) return [item];
  return open.includes(item) ? open : [...open, item];
}

export function closed<T>(open: Open<T>, item: T): Open<T> {
  if (!open.includes(item)) return open;
  return open.length === 1 ? NONE : open.filter((other) => other !== item);
}
