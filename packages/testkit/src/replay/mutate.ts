import type { Random } from './prng.ts';

const HUGE = 'x'.repeat(100_000);
const ODD: readonly unknown[] = [
  undefined,
  null,
  true,
  false,
  0,
  -1,
  1.5,
  NaN,
  Infinity,
  1e300,
  '',
  HUGE,
  '\ud800',
  '__proto__',
  'toString',
  10n,
  [],
  [null],
  [[]],
  {},
  { constructor: null },
  Symbol('odd'),
  () => undefined,
  new Date(Number.NaN),
  new Map(),
];

/** The value, damaged in a few places: fields gone, of the wrong type, swapped with others, or with prototypes of their own. */
export function mutated(value: unknown, pool: readonly unknown[], random: Random): unknown {
  const copy: unknown = structuredClone(value);
  const places = placesOf(copy);
  for (let count = 1 + random.below(4); count > 0 && places.length > 0; count -= 1)
    damage(random.pick(places), pool, random);
  return random.next() < 0.02 ? random.pick(ODD) : copy;
}

interface Place {
  readonly holder: Record<string, unknown>;
  readonly key: string;
}

function placesOf(value: unknown): Place[] {
  if (typeof value !== 'object' || value === null || ArrayBuffer.isView(value)) return [];
  const holder = value as Record<string, unknown>;
  return Object.keys(holder).flatMap((key) => [{ holder, key }, ...placesOf(holder[key])]);
}

function damage({ holder, key }: Place, pool: readonly unknown[], random: Random): void {
  const kind = random.below(6);
  if (kind === 0) delete holder[key];
  else if (kind === 1) holder[key] = random.pick(ODD);
  else if (kind === 2) holder[key] = random.pick(pool);
  else if (kind === 3) holder[key] = Object.assign(Object.create(null) as object, holder[key]);
  else if (kind === 4)
    holder[String(random.pick(['type', 'subtype', 'id', 'uuid', 'agent_id', 'parent_tool_use_id', 'usage']))] =
      holder[key];
  else holder[key] = [holder[key], holder[key]];
}

/** All strings and numbers within, for swapping ids between messages. */
export function leavesOf(value: unknown): unknown[] {
  if (typeof value === 'string' || typeof value === 'number' || typeof value === 'bigint') return [value];
  if (typeof value !== 'object' || value === null) return [];
  return Object.values(value).flatMap(leavesOf);
}
