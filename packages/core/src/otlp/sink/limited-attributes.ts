import type { AttributeTaker, DialectAttributes, DialectValue, SpanLimits } from '../../dialect/dialect.ts';
import { shortenText } from '../../dialect/shorten-text.ts';
import { OtlpAttributeList } from '../encode/attribute-list.ts';

/** Says which attributes of a span were cut to what the backend takes. */
const CUT_KEYS = 'claude.cut_attributes';

/** Takes as much as a backend does, and knows what it did not take. */
export class LimitedAttributes implements AttributeTaker {
  readonly list: OtlpAttributeList = new OtlpAttributeList();
  readonly #limits: SpanLimits;
  readonly #cut: string[] = [];
  #dropped = 0;

  constructor(limits: SpanLimits) {
    this.#limits = limits;
  }

  put(key: string, value: DialectValue | undefined): void {
    if (value === undefined) return;
    // One place is kept for saying what was cut.
    const { maxAttributes = Infinity } = this.#limits;
    if (this.list.keys.length >= maxAttributes - 1) {
      this.#dropped += 1;
      return;
    }
    const limited = limitedValue(value, this.#limits);
    if (limited !== value) this.#cut.push(key);
    this.list.put(key, limited);
  }

  /** To be called when all have been put: how many have not been taken. */
  finish(): number {
    if (this.#cut.length > 0) this.list.put(CUT_KEYS, limitedValue(this.#cut, this.#limits));
    return this.#dropped;
  }
}

/** The same object if there is nothing to cut. */
export function limitedAttributes(attributes: DialectAttributes, limits: SpanLimits): DialectAttributes {
  const entries = Object.entries(attributes);
  const limited = entries.map(([key, value]) => [key, limitedValue(value, limits)] as const);
  return limited.every(([, value], index) => value === entries[index]?.[1]) ? attributes : Object.fromEntries(limited);
}

function limitedValue(value: DialectValue, { maxTextBytes = Infinity, maxItems = Infinity }: SpanLimits): DialectValue {
  if (typeof value === 'string') return shortenText(value, maxTextBytes);
  if (typeof value !== 'object') return value;
  const items = value.length > maxItems ? value.slice(0, maxItems) : value;
  if (!isTextList(items)) return items;
  const texts = items.map((item) => shortenText(item, maxTextBytes));
  return texts.every((text, index) => text === items[index]) ? items : texts;
}

function isTextList(items: readonly string[] | readonly number[] | readonly boolean[]): items is readonly string[] {
  return typeof items[0] === 'string';
}
