import type { IncomingMessage } from 'node:http';
import { type BodyLimits, type InTurn, readBody, Rejected } from '@spanprism/core/receive';
import { inTurn } from './in-turn.ts';
import type { RefusalReason } from './refusals.ts';

/** Of the largest body: so many may be here at once. Most are a thousand times as small. */
const LARGEST_AT_ONCE = 4;

/**
 * Room for bodies, while they come in and until they are answered, however many senders there are. What is only announced takes none:
 * else it would be had for nothing.
 */
export class BodyRoom {
  readonly #limits: BodyLimits;
  readonly #unpackInTurn: InTurn = inTurn(LARGEST_AT_ONCE);
  #bytes = 0;

  constructor(limits: BodyLimits) {
    this.#limits = limits;
  }

  /** Throws `Rejected` as `readBody` does, and where there is no room now. */
  async read(request: IncomingMessage): Promise<Uint8Array> {
    const announced = Number(request.headers['content-length'] ?? 0);
    if (!this.#hasRoomFor(announced)) throw new Rejected<RefusalReason>('full');
    let held = 0;
    let refuse: (why: Rejected<RefusalReason>) => void = () => undefined;
    const overflow = new Promise<never>((_, reject) => {
      refuse = reject;
    });
    const hold = ({ length }: Buffer): void => {
      held += length;
      this.#bytes += length;
      // One that did not say how large it is.
      if (!this.#hasRoomFor(0)) refuse(new Rejected('full'));
    };
    request.on('data', hold);
    try {
      return await Promise.race([readBody(request, this.#limits, this.#unpackInTurn), overflow]);
    } finally {
      // What is refused goes on coming in, and is not kept.
      request.off('data', hold);
      this.#bytes -= held;
    }
  }

  /** Keeps room for a body, which unpacked may be much larger than it came, until it is answered. Throws `Rejected` where there is none. */
  async hold<T>({ length }: Uint8Array, answered: () => Promise<T>): Promise<T> {
    if (!this.#hasRoomFor(length)) throw new Rejected<RefusalReason>('full');
    this.#bytes += length;
    try {
      return await answered();
    } finally {
      this.#bytes -= length;
    }
  }

  #hasRoomFor(bytes: number): boolean {
    return this.#bytes + bytes <= this.#limits.maxSentBytes * LARGEST_AT_ONCE;
  }
}
