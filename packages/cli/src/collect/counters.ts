import type { OtlpSignal } from '@spanprism/core/otlp';
import type { Transport } from './doors/desk.ts';
import type { RefusalReason } from './doors/refusals.ts';

/** What has come in since the start. */
export class Counters {
  readonly requests: Tally<readonly [OtlpSignal, Transport]> = new Tally();
  readonly records: Tally<readonly [OtlpSignal]> = new Tally();
  readonly bytes: Tally<readonly [OtlpSignal]> = new Tally();
  readonly rejected: Tally<readonly [RefusalReason]> = new Tally();
  readonly forwarded: Tally<readonly [OtlpSignal]> = new Tally();
  /** Records that were acknowledged and go nowhere, as the sender was told where OTLP has words for it. */
  readonly dropped: Tally<readonly [OtlpSignal, 'no_endpoint' | 'no_session']> = new Tally();
  replayed = 0;
}

/** Counts by words. */
export class Tally<Key extends readonly string[]> {
  readonly #counts = new Map<string, { readonly key: Key; count: number }>();

  add(key: Key, count = 1): void {
    if (count === 0) return;
    const name = key.join(' ');
    const known = this.#counts.get(name);
    if (known === undefined) this.#counts.set(name, { key, count });
    else known.count += count;
  }

  of(...key: Key): number {
    return this.#counts.get(key.join(' '))?.count ?? 0;
  }

  get entries(): Iterable<{ readonly key: Key; readonly count: number }> {
    return this.#counts.values();
  }
}
