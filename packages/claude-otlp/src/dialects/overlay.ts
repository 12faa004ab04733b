import type { CapturedSpan } from '@spanprism/core';
import { collectAttributes, exceptionEvents, isReservedKey } from '@spanprism/core/dialect';
import type { AttributeTaker, Dialect } from '@spanprism/core/dialect';

/** A backend's own word for a key; null for what it must not see. */
export type Renames = Readonly<Record<string, string | null>>;

/** What one backend reads beside or in place of what a dialect says. */
export interface Overlay {
  readonly name: string;
  readonly renames?: (span: CapturedSpan) => Renames;
  /** Where the user's attributes are kept; under their own names unless given. */
  readonly userKey?: (key: string) => string;
  /** What it wants to know besides. Goes first, as limits keep the first. */
  readonly put?: (span: CapturedSpan, into: AttributeTaker) => void;
  /** It knows failures by events named `exception`. */
  readonly readsExceptionEvents?: true;
}

/** A dialect with the overlay of a backend on it. Every key comes once, and no key of the user's takes one of the overlay's. */
export function overlaid(base: Dialect, overlay: Overlay): Dialect {
  const putAttributes = (span: CapturedSpan, into: AttributeTaker): void => {
    const renames = overlay.renames?.(span) ?? {};
    const taken = new Set<string>();
    const put: AttributeTaker['put'] = (key, value) => {
      if (value === undefined || taken.has(key)) return;
      taken.add(key);
      into.put(key, value);
    };
    overlay.put?.(span, { put });
    putBase(base, span, {
      put: (key, value) => {
        if (Object.hasOwn(renames, key)) {
          const word = renames[key];
          if (typeof word === 'string') put(word, value);
        } else if (Object.hasOwn(span.attributes, key) && !isReservedKey(key)) {
          const own = overlay.userKey?.(key) ?? key;
          put(taken.has(own) ? `claude.attribute.${key}` : own, value);
        } else {
          put(key, value);
        }
      },
    });
  };
  return {
    ...base,
    name: overlay.name,
    attributes: (span) => collectAttributes((into) => putAttributes(span, into)),
    putAttributes,
    events: (span) =>
      overlay.readsExceptionEvents ? [...base.events(span), ...exceptionEvents(span)] : base.events(span),
  };
}

function putBase(base: Dialect, span: CapturedSpan, into: AttributeTaker): void {
  if (base.putAttributes !== undefined) base.putAttributes(span, into);
  else for (const [key, value] of Object.entries(base.attributes(span))) into.put(key, value);
}
