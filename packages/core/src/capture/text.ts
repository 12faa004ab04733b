import type { CapturePolicy } from './policy.ts';
import { scrubSecrets } from './secrets.ts';
import { textBytes, truncateText } from './truncate.ts';

/** What stands where a text was that could not be redacted. */
const DROPPED = '[dropped: redact failed]';
const UNSERIALISABLE = '[unserialisable]';
const MAX_DEPTH = 64;

/** Cleans the texts of one span: secrets, then the user's own redaction, then length. Remembers what it had to do. */
export class TextCleaner {
  readonly #policy: CapturePolicy;
  wasTruncated = false;
  wasDropped = false;

  constructor(policy: CapturePolicy) {
    this.#policy = policy;
  }

  text(text: string): string {
    const redacted = this.#redacted(text);
    const cut = truncateText(redacted, this.#policy.maxTextBytes);
    if (cut.length < redacted.length) this.wasTruncated = true;
    return cut;
  }

  /** Any value as JSON can hold it, every text in it cleaned. Cycles, getters that throw and the like become a word. */
  json(value: unknown, depth = 0): unknown {
    if (typeof value === 'string') return this.text(value);
    if (typeof value === 'number' || typeof value === 'boolean' || value === null || value === undefined) return value;
    if (typeof value === 'bigint') return String(value);
    if (typeof value !== 'object' || depth >= MAX_DEPTH) return UNSERIALISABLE;
    try {
      return this.#object(value, depth + 1);
    } catch {
      return UNSERIALISABLE;
    }
  }

  #object(value: object, depth: number): unknown {
    if (Array.isArray(value)) return value.map((item) => this.json(item, depth));
    if (value instanceof Date) return Number.isNaN(value.getTime()) ? UNSERIALISABLE : value.toISOString();
    const prototype: unknown = Object.getPrototypeOf(value);
    if (prototype !== Object.prototype && prototype !== null) return UNSERIALISABLE;
    const cleaned: Record<string, unknown> = {};
    for (const [name, item] of Object.entries(value)) {
      Object.defineProperty(cleaned, this.#key(name), {
        value: this.json(item, depth),
        enumerable: true,
        writable: true,
        configurable: true,
      });
    }
    return cleaned;
  }

  /** Keys are kept; what looks like a secret is one, wherever it stands. */
  #key(name: string): string {
    return name.length < 16 ? name : scrubSecrets(name);
  }

  #redacted(text: string): string {
    let redacted = scrubSecrets(text);
    for (const redact of this.#policy.redact) {
      try {
        const next: unknown = redact(redacted);
        if (typeof next !== 'string') return this.#drop();
        redacted = next;
      } catch {
        return this.#drop();
      }
    }
    return redacted;
  }

  #drop(): string {
    this.wasDropped = true;
    return DROPPED;
  }
}

/** UTF-8 bytes of all texts in a value, keys and punctuation aside. Costs no copy. */
export function contentBytes(value: unknown, depth = 0): number {
  if (typeof value === 'string') return textBytes(value);
  if (typeof value === 'number' || typeof value === 'boolean' || typeof value === 'bigint') return String(value).length;
  if (typeof value !== 'object' || value === null || depth >= MAX_DEPTH) return 0;
  let bytes = 0;
  try {
    for (const item of Array.isArray(value) ? value : Object.values(value)) bytes += contentBytes(item, depth + 1);
  } catch {
    // A getter that throws hides its size.
  }
  return bytes;
}
