import type { SourceName } from '../model/span.ts';

/** In the order in which spans list them. */
const NAMES = ['cli', 'hooks', 'partials', 'sdk', 'transcript', 'wire'] as const satisfies readonly SourceName[];
const BITS: Readonly<Record<SourceName, number>> = { cli: 1, hooks: 2, partials: 4, sdk: 8, transcript: 16, wire: 32 };

/** Every possible list once: each span has one, and there are few. */
const LISTS: readonly (readonly SourceName[])[] = Array.from({ length: 1 << NAMES.length }, (_, bits) =>
  Object.freeze(NAMES.filter((name) => (bits & BITS[name]) !== 0)),
);

/** Which sources saw something: one bit each. */
export type Sources = number;

export const NOBODY: Sources = 0;
export const WIRE: Sources = BITS.wire;
/** Those that tell a conversation message by message. */
export const STREAM: Sources = BITS.sdk | BITS.partials | BITS.transcript;

/** Notes that a source saw it. */
export function sawIt(node: { seenBy: Sources }, source: SourceName): void {
  node.seenBy |= source === 'sdk' ? BITS.sdk : BITS[source];
}

/** Sorted by name. */
export function sourceNames(sources: Sources): readonly SourceName[] {
  return LISTS[sources] ?? [];
}
