import type { SpanContext } from '@opentelemetry/api';
import type { SpanId } from '@spanprism/core';

/** So many spans are waited for; beyond it the oldest go. */
const MOST_AWAITED = 1024;

/** Spans that ended before the one that they link to had begun. That one is to link back, as it still can. */
export class LateLinks {
  readonly #awaited = new Map<SpanId, SpanContext[]>();

  /** `target` is our id of the span that has not begun. */
  add(target: SpanId, from: SpanContext): void {
    const known = this.#awaited.get(target);
    if (known === undefined) this.#awaited.set(target, [from]);
    else known.push(from);
    for (const oldest of this.#awaited.keys()) {
      if (this.#awaited.size <= MOST_AWAITED) break;
      this.#awaited.delete(oldest);
    }
  }

  /** Those that wait for this one, which has begun now; told once. */
  take(target: SpanId): readonly SpanContext[] {
    const waiting = this.#awaited.get(target) ?? [];
    this.#awaited.delete(target);
    return waiting;
  }
}
