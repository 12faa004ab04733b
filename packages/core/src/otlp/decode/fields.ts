/** A record while it is read. */
export type Mutable<T> = { -readonly [Key in keyof T]: T[Key] };

// In protobuf an unset field reads as empty or zero, so both decoders take empty and zero for absent.

export function setText<Key extends string>(record: { [key in Key]?: string }, key: Key, text: string): void {
  if (text !== '') record[key] = text;
}

export function setCount<Key extends string>(record: { [key in Key]?: number }, key: Key, count: number): void {
  if (count !== 0) record[key] = count;
}

export function setTime<Key extends string>(record: { [key in Key]?: bigint }, key: Key, time: bigint): void {
  if (time !== 0n) record[key] = time;
}
