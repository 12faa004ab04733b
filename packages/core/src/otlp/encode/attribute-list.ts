import type { OtlpAttributes, OtlpSpan, OtlpValue } from '../records.ts';

/** Attributes one after the other: a list is filled and read in less time than it takes to build an object of so many keys. */
export class OtlpAttributeList {
  readonly keys: string[] = [];
  readonly values: OtlpValue[] = [];

  /** Each key once. What is undefined is not known, and left out. */
  put(key: string, value: OtlpValue | undefined): void {
    if (value === undefined) return;
    this.keys.push(key);
    this.values.push(value);
  }
}

/** A span to be encoded: its attributes may be a list. */
export type OutgoingSpan = Omit<OtlpSpan, 'attributes' | 'parentSpanId'> & {
  readonly attributes: OtlpAttributes | OtlpAttributeList;
  readonly parentSpanId?: string | undefined;
};
