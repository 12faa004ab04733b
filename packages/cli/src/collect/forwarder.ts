import type { Diag } from '@spanprism/core';
import { createDelivery, type Delivery, type OtlpEncoding, otlpDelivery, type OtlpSignal } from '@spanprism/core/otlp';
import type { ForwardTargets } from './forward-targets.ts';

export interface ForwarderStats {
  /** Request bodies. */
  readonly delivered: number;
  readonly queued: number;
  readonly dropped: Readonly<Record<string, number>>;
}

interface Lane {
  readonly delivery: Delivery;
  /** Of bodies that may not have been delivered yet, in the order in which they were given. */
  readonly sizes: number[];
  settled: number;
  bytes: number;
}

const MIB = 1024 * 1024;
/** What may wait in memory; more waits at its senders. */
const MAX_QUEUE_BYTES = 32 * MIB;

/** Hands on request bodies as they came, to the endpoint of their signal. */
export class Forwarder {
  readonly #targets: ForwardTargets;
  readonly #diag: Diag;
  readonly #lanes = new Map<string, Lane>();

  constructor(targets: ForwardTargets, diag: Diag) {
    this.#targets = targets;
    this.#diag = diag;
  }

  takes(signal: OtlpSignal): boolean {
    return this.#targets[signal] !== undefined;
  }

  /** Whether so much waits for an endpoint that no more may be taken for it. */
  isFull(signal: OtlpSignal): boolean {
    let bytes = 0;
    for (const encoding of ['protobuf', 'json'] as const) {
      const lane = this.#lanes.get(`${signal} ${encoding}`);
      if (lane !== undefined) bytes += waiting(lane);
    }
    return bytes > MAX_QUEUE_BYTES / 2;
  }

  forward(signal: OtlpSignal, encoding: OtlpEncoding, body: Uint8Array): void {
    const lane = this.#lane(signal, encoding);
    if (lane === undefined || body.length === 0) return;
    lane.sizes.push(body.length);
    lane.bytes += body.length;
    // It may be a small part of memory that would be kept with it.
    lane.delivery.enqueue(new Uint8Array(body));
  }

  /** Resolves when everything given so far was delivered; rejects when some was not. */
  async flush(deadlineMs: number): Promise<void> {
    await allOf([...this.#lanes.values()].map(({ delivery }) => delivery.flush(deadlineMs)));
  }

  async close(deadlineMs: number): Promise<void> {
    await allOf([...this.#lanes.values()].map(({ delivery }) => delivery.close(deadlineMs)));
  }

  stats(): ForwarderStats {
    const sum = { delivered: 0, queued: 0, dropped: {} as Record<string, number> };
    for (const { delivery } of this.#lanes.values()) {
      const { delivered, queued, dropped } = delivery.stats();
      sum.delivered += delivered;
      sum.queued += queued;
      for (const [reason, count] of Object.entries(dropped)) sum.dropped[reason] = (sum.dropped[reason] ?? 0) + count;
    }
    return sum;
  }

  #lane(signal: OtlpSignal, encoding: OtlpEncoding): Lane | undefined {
    const name = `${signal} ${encoding}`;
    const known = this.#lanes.get(name);
    const target = this.#targets[signal];
    if (known !== undefined || target === undefined) return known;
    const endpoint = { ...target, protocol: `http/${encoding}` as const };
    const delivery = createDelivery({
      ...otlpDelivery(signal, endpoint, { name: `forward ${name}`, diag: this.#diag }),
      // Requests in protobuf end to end are one request; those in JSON are not.
      assemble: (bodies) => (bodies.length === 1 ? (bodies[0] ?? EMPTY) : Buffer.concat(bodies)),
      maxBatchItems: encoding === 'protobuf' ? 512 : 1,
      maxQueueBytes: MAX_QUEUE_BYTES + 64 * MIB,
      // Whatever waits is on disk too: it is not given up for its age.
      retry: { maxElapsedMs: Number.MAX_SAFE_INTEGER },
    });
    const lane: Lane = { delivery, sizes: [], settled: 0, bytes: 0 };
    this.#lanes.set(name, lane);
    return lane;
  }
}

const EMPTY = new Uint8Array(0);

function waiting(lane: Lane): number {
  const { delivered, dropped } = lane.delivery.stats();
  let settled = delivered;
  for (const count of Object.values(dropped)) settled += count;
  const news = settled - lane.settled;
  for (const size of lane.sizes.splice(0, news)) lane.bytes -= size;
  lane.settled = settled;
  return lane.bytes;
}

/** Waits for all of them, whatever becomes of one, then tells the first that failed. */
async function allOf(parts: readonly Promise<void>[]): Promise<void> {
  for (const part of await Promise.allSettled(parts)) if (part.status === 'rejected') throw part.reason;
}
