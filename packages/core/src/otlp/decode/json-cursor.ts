import { MAX_MESSAGES, OtlpDecodeError } from './error.ts';
import { wellFormed } from '../well-formed.ts';

export type JsonObject = Readonly<Record<string, unknown>>;

const MAX_UINT64 = 0xffff_ffff_ffff_ffffn;
const MIN_INT64 = -0x8000_0000_0000_0000n;
const MAX_INT64 = 0x7fff_ffff_ffff_ffffn;
const INTEGER = /^-?\d{1,20}$/;
const HEX = /^[0-9a-f]*$/i;
const SPECIAL_DOUBLES = new Map([
  ['NaN', Number.NaN],
  ['Infinity', Number.POSITIVE_INFINITY],
  ['-Infinity', Number.NEGATIVE_INFINITY],
]);

/** Reads typed fields of parsed JSON and knows where it is; a field that is missing or null reads as empty or zero. */
export class JsonCursor {
  readonly #path: (string | number)[] = [];
  #messages = 0;

  /** Reads every object of the list in `field`. */
  list<T>(holder: JsonObject, field: string, read: (item: JsonObject, cursor: JsonCursor) => T): T[] {
    const results: T[] = [];
    this.#each(holder, field, (item) => results.push(read(this.#object(item, ''), this)));
    return results;
  }

  /** Reads the object in `field`; undefined when there is none. */
  object<T>(holder: JsonObject, field: string, read: (item: JsonObject, cursor: JsonCursor) => T): T | undefined {
    const value = holder[field];
    if (value === undefined || value === null) return undefined;
    const object = this.#object(value, field);
    this.#path.push(field);
    const result = read(object, this);
    this.#path.pop();
    return result;
  }

  text(holder: JsonObject, field: string): string {
    const value = holder[field];
    if (typeof value === 'string') return wellFormed(value);
    return this.#absent(value, '', [field, 'a string']);
  }

  bool(holder: JsonObject, field: string): boolean {
    const value = holder[field];
    if (typeof value === 'boolean') return value;
    return this.#absent(value, false, [field, 'a boolean']);
  }

  /** An enum or a 32-bit count. */
  int32(holder: JsonObject, field: string): number {
    const value = holder[field];
    if (Number.isInteger(value)) return value as number;
    return this.#absent(value, 0, [field, 'an integer']);
  }

  /** Nanoseconds or a 64-bit count, as a string or a number. */
  uint64(holder: JsonObject, field: string): bigint {
    return this.#integer(holder[field], field, [0n, MAX_UINT64]);
  }

  /** A number where a double holds it exactly, else a bigint. */
  int64(holder: JsonObject, field: string): number | bigint {
    const value = holder[field];
    if (Number.isSafeInteger(value)) return value as number;
    const exact = this.#integer(value, field, [MIN_INT64, MAX_INT64]);
    const near = Number(exact);
    return Number.isSafeInteger(near) ? near : exact;
  }

  double(holder: JsonObject, field: string): number {
    return this.#double(holder[field], field);
  }

  doubles(holder: JsonObject, field: string): number[] {
    const results: number[] = [];
    this.#each(holder, field, (item) => results.push(this.#double(item, '')));
    return results;
  }

  counts(holder: JsonObject, field: string): number[] {
    const results: number[] = [];
    this.#each(holder, field, (item) => results.push(Number(this.#integer(item, '', [0n, MAX_UINT64]))));
    return results;
  }

  /** An id of `length` bytes in lowercase hex; '' when it is absent, empty or all zero. */
  id(holder: JsonObject, field: string, length: 8 | 16): string {
    const value = holder[field];
    if (value === undefined || value === null || value === '') return '';
    if (typeof value !== 'string' || value.length !== length * 2 || !HEX.test(value)) {
      throw this.error(field, `${length * 2} hex digits`);
    }
    return /^0+$/.test(value) ? '' : value.toLowerCase();
  }

  bytes(holder: JsonObject, field: string): Uint8Array {
    return new Uint8Array(Buffer.from(this.text(holder, field), 'base64'));
  }

  error(field: string, expected: string): OtlpDecodeError {
    return new OtlpDecodeError('invalid_field', `OTLP JSON: ${this.#where(field)} must be ${expected}`);
  }

  tooLarge(what: string): OtlpDecodeError {
    return new OtlpDecodeError('too_large', `OTLP JSON: ${what} at ${this.#where('')}`);
  }

  #each(holder: JsonObject, field: string, visit: (item: unknown) => void): void {
    const value = holder[field];
    if (value === undefined || value === null) return;
    if (!Array.isArray(value)) throw this.error(field, 'an array');
    const at = this.#path.push(field, 0) - 1;
    for (let index = 0; index < value.length; index++) {
      this.#path[at] = index;
      visit(value[index]);
    }
    this.#path.length -= 2;
  }

  #object(value: unknown, field: string): JsonObject {
    if (++this.#messages > MAX_MESSAGES) throw this.tooLarge(`more than ${MAX_MESSAGES} objects`);
    if (typeof value === 'object' && value !== null && !Array.isArray(value)) return value as JsonObject;
    throw this.error(field, 'an object');
  }

  #integer(value: unknown, field: string, [least, most]: readonly [bigint, bigint]): bigint {
    const isInteger = typeof value === 'string' ? INTEGER.test(value) : Number.isInteger(value);
    if (!isInteger) return this.#absent(value, 0n, [field, 'an integer, as a string or a number']);
    const integer = BigInt(value as string | number);
    if (integer < least || integer > most) throw this.error(field, `between ${least} and ${most}`);
    return integer;
  }

  #double(value: unknown, field: string): number {
    if (typeof value === 'number') return value;
    const special = SPECIAL_DOUBLES.get(value as string);
    if (special !== undefined) return special;
    const parsed = typeof value === 'string' && value.trim() !== '' ? Number(value) : Number.NaN;
    return Number.isNaN(parsed) ? this.#absent(value, 0, [field, 'a number']) : parsed;
  }

  /** The default of a field that is not there; anything else has failed to be what it must be. */
  #absent<T>(value: unknown, fallback: T, [field, expected]: readonly [field: string, expected: string]): T {
    if (value === undefined || value === null) return fallback;
    throw this.error(field, expected);
  }

  #where(field: string): string {
    const steps = field === '' ? this.#path : [...this.#path, field];
    return steps.reduce<string>((path, step) => path + (typeof step === 'number' ? `[${step}]` : `.${step}`), '$');
  }
}
