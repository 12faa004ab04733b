import type { Attributes } from '../model/span.ts';
import type { AttributeTaker } from './dialect.ts';
import { SEMCONV, SEMCONV_LATEST } from './semconv.ts';

const STANDARD: ReadonlySet<string> = new Set([...Object.values(SEMCONV), ...Object.values(SEMCONV_LATEST)]);
const OWN_PREFIX = 'claude.';

/**
 * The user's attributes under their own keys. A key that the conventions, we or this dialect (`isTakenHere`) give a meaning moves
 * to `claude.attribute.<key>`, on every span alike: a usage figure of the user's must not be counted as one of the model's.
 */
export function putUserAttributes(
  attributes: Attributes,
  into: AttributeTaker,
  isTakenHere: (key: string) => boolean = () => false,
): void {
  for (const key of Object.keys(attributes)) {
    into.put(isReservedKey(key) || isTakenHere(key) ? `claude.attribute.${key}` : key, attributes[key]);
  }
}

/** Whether the conventions or we give a key a meaning, so that none of the user's stands under it. */
export function isReservedKey(key: string): boolean {
  return STANDARD.has(key) || key.startsWith(OWN_PREFIX);
}

/** The user's tags: lists are JSON in attributes (`tracing.withAttributes({ tags: […] })`), and any other text is one tag. */
export function userTags({ tags }: Attributes): readonly string[] | undefined {
  if (typeof tags !== 'string') return undefined;
  try {
    const list: unknown = JSON.parse(tags);
    return Array.isArray(list) ? list.map(String) : [tags];
  } catch {
    return [tags];
  }
}
