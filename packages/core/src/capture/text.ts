import type { CapturePolicy } from './policy.ts';
import { scrubSecrets } from './secrets.ts';
import { textBytes, truncateText } from '../model/truncate.ts';

/** What stands where a text was that could not be redacted. */
const DROPPED = '[dropped: redact failed]';
const UNSERIALISABLE = '[unserialisable]';
const MAX_DEPTH = 64;
/** Shared references can make a small value endless; nobody's tool input has as many parts. */
const MAX_VALUES = 100_000;

/** Names longer than this are no names. UTF-8 bytes. */
const MAX_NAME_BYTES = 200;
/** Shorter than any secret that can be told from a name. */
const MIN_SECRET_LENGTH = 16;

/** Cleans the texts of one span: secrets, then the user's own redaction, then length. Remembers what it had to do. */
export class TextCleaner {
  readonly policy: CapturePolicy;
  #valuesLeft = MAX_VALUES;
  wasTruncated = false;
  wasDropped = false;

  constructor(policy: CapturePolicy) {
    this.policy = policy;
  }

  text(text: string): string {
    const redacted = this.#redacted(text);
    const cut = truncateText(redacted, this.policy.maxTextBytes);
    if (cut.length < redacted.length) this.wasTruncated = true;
    return cut;
  }

  /** Any value as JSON can hold it, every text in it cleaned. Cycles, getters that throw and the like become a word. */
  json(value: unknown): unknown {
    this.#valuesLeft = MAX_VALUES;
    return this.#value(value, []);
  }

  #value(value: unknown, path: object[]): unknown {
    if (typeof value === 'string') return this.text(value);
    if (typeof value === 'boolean' || value === null || value === undefined) return value;
    if (typeof value === 'number') return Number.isFinite(value) ? value : String(value);
    if (typeof value === 'bigint') return String(value);
    if (typeof value !== 'object' || path.length >= MAX_DEPTH || path.includes(value)) return UNSERIALISABLE;
    path.push(value);
    try {
      return this.#object(value, path);
    } catch {
      // A proxy can throw at whatever is asked of it.
      return UNSERIALISABLE;
    } finally {
      path.pop();
    }
  }

  #object(value: object, path: object[]): unknown {
    if (Array.isArray(value)) return this.#array(value, path);
    if (value instanceof Date) return Number.isNaN(value.getTime()) ? UNSERIALISABLE : value.toISOString();
    if (!isPlain(value)) return UNSERIALISABLE;
    const cleaned: Record<string, unknown> = {};
    for (const name of Object.keys(value)) {
      if (!this.#takesOneMore()) break;
      const key = this.name(name);
      const item = isSecretName(name) ? this.#secret(read(value, name)) : this.#value(read(value, name), path);
      if (key === '__proto__') Object.defineProperty(cleaned, key, { value: item, enumerable: true });
      else cleaned[key] = item;
    }
    return cleaned;
  }

  #array(items: readonly unknown[], path: object[]): unknown[] {
    const cleaned: unknown[] = [];
    for (const item of items) {
      if (!this.#takesOneMore()) break;
      cleaned.push(this.#value(item, path));
    }
    return cleaned;
  }

  #secret(value: unknown): unknown {
    return typeof value === 'string' && value !== '' ? '[redacted: value]' : this.#value(value, []);
  }

  #takesOneMore(): boolean {
    this.#valuesLeft -= 1;
    if (this.#valuesLeft >= 0) return true;
    this.wasTruncated = true;
    return false;
  }

  /** Names and keys are kept whatever the policy; one that is a secret, or no name by its length, is not. */
  name(name: string): string {
    if (name.length < MIN_SECRET_LENGTH) return truncateText(name, MAX_NAME_BYTES);
    const scrubbed = scrubSecrets(name);
    const cut = truncateText(scrubbed, MAX_NAME_BYTES);
    if (cut.length < scrubbed.length) this.wasTruncated = true;
    return cut;
  }

  #redacted(text: string): string {
    let redacted = scrubSecrets(text);
    for (const redact of this.policy.redact) {
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

/** Shorter texts are measured faster than found again. */
const SHORT_LENGTH = 256;
/** What was measured last. Most content is part of two spans: a tool's input and output are also what the model said and was told. */
const measured: unknown[] = [undefined, undefined, undefined, undefined];
const measuredBytes = [0, 0, 0, 0];
let next = 0;

/** UTF-8 bytes of all texts in a value, keys and punctuation aside. Costs no copy. */
export function contentBytes(value: unknown): number {
  if (typeof value === 'string' && value.length < SHORT_LENGTH) return textBytes(value);
  const known = measured.indexOf(value);
  if (known >= 0) return measuredBytes[known] ?? 0;
  const bytes = typeof value === 'string' ? textBytes(value) : bytesOf(value);
  measured[next] = value;
  measuredBytes[next] = bytes;
  next = (next + 1) % measured.length;
  return bytes;
}

/** Where the measuring is, and how much it may still look at: kept, because every tool call is measured. */
const path: object[] = [];
let valuesLeft = 0;

function bytesOf(value: unknown): number {
  if (path.length > 0) path.length = 0;
  valuesLeft = MAX_VALUES;
  return bytesWithin(value);
}

function bytesWithin(value: unknown): number {
  if (typeof value === 'string') return textBytes(value);
  if (typeof value === 'number' || typeof value === 'boolean' || typeof value === 'bigint') return String(value).length;
  if (typeof value !== 'object' || value === null || path.length >= MAX_DEPTH || path.includes(value)) return 0;
  let bytes = 0;
  path.push(value);
  try {
    for (const name of Object.keys(value)) {
      valuesLeft -= 1;
      if (valuesLeft < 0) break;
      bytes += bytesWithin(read(value, name));
    }
  } catch {
    // What a proxy hides has no size.
  }
  path.pop();
  return bytes;
}

/** A property; a getter that throws has a word for its value. */
function read(value: object, name: string): unknown {
  try {
    return (value as Readonly<Record<string, unknown>>)[name];
  } catch {
    return UNSERIALISABLE;
  }
}

const SECRET_NAME =
  /^(?:.{0,40}[_-])?(?:api[_-]?key|secret[_-]?(?:access[_-]?)?key|(?:client|app)[_-]?secret|(?:access|auth|refresh|session)[_-]?token|private[_-]?key|passw(?:or)?d|passphrase)$|^(?:proxy-)?authorization$/i;

/** In an object the telling name of a value is its key, out of sight of the scanner of texts. */
function isSecretName(name: string): boolean {
  return name.length >= 6 && name.length <= 60 && SECRET_NAME.test(name);
}

/** Of no class: it inherits nothing, or from what inherits nothing, as the `Object.prototype` of any realm. */
function isPlain(value: object): boolean {
  const prototype: object | null = Object.getPrototypeOf(value) as object | null;
  return prototype === null || Object.getPrototypeOf(prototype) === null;
}
