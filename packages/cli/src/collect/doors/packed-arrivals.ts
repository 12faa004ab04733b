import type { OtlpEncoding, OtlpSignal } from '@spanprism/core/otlp';
import type { Arrival, Transport } from './desk.ts';

/** Arrivals as they cross from the doors to the desk: a few long lists, because objects take several times as long to cross. */
export interface PackedArrivals {
  readonly ids: Float64Array<ArrayBuffer>;
  /** What each is: see `kindOf`. */
  readonly kinds: Uint8Array<ArrayBuffer>;
  /** The bodies of all, one after the other. Handed over. */
  readonly bodies: Uint8Array<ArrayBuffer>;
  /** Where each ends. */
  readonly ends: Float64Array<ArrayBuffer>;
}

const SIGNALS: readonly OtlpSignal[] = ['traces', 'logs', 'metrics'];
const ENCODINGS: readonly OtlpEncoding[] = ['protobuf', 'json'];
const TRANSPORTS: readonly Transport[] = ['http', 'grpc'];

function kindOf({ signal, encoding, transport }: Arrival): number {
  return (SIGNALS.indexOf(signal) * 2 + ENCODINGS.indexOf(encoding)) * 2 + TRANSPORTS.indexOf(transport);
}

/** What is so large is not copied to be with others. */
export const LARGE_BYTES: number = 64 * 1024;

export interface NumberedArrival extends Arrival {
  readonly id: number;
}

/** Takes the memory of one that is alone, if nothing else is in it. */
export function packArrivals(arrivals: readonly NumberedArrival[]): PackedArrivals {
  const ends = new Float64Array(arrivals.length);
  let bytes = 0;
  for (const [index, { body }] of arrivals.entries()) {
    bytes += body.length;
    ends[index] = bytes;
  }
  return {
    ids: Float64Array.from(arrivals, ({ id }) => id),
    kinds: Uint8Array.from(arrivals, kindOf),
    bodies: bodiesOf(arrivals, bytes),
    ends,
  };
}

function bodiesOf(arrivals: readonly NumberedArrival[], bytes: number): Uint8Array<ArrayBuffer> {
  const [first] = arrivals;
  if (arrivals.length === 1 && first !== undefined && isAllOfItsMemory(first.body)) return first.body;
  const bodies = new Uint8Array(bytes);
  let at = 0;
  for (const { body } of arrivals) {
    bodies.set(body, at);
    at += body.length;
  }
  return bodies;
}

function isAllOfItsMemory(body: Uint8Array): body is Uint8Array<ArrayBuffer> {
  return body.buffer instanceof ArrayBuffer && body.buffer.byteLength === body.length;
}

export function* unpackArrivals({ ids, kinds, bodies, ends }: PackedArrivals): Generator<NumberedArrival> {
  let start = 0;
  for (const [index, id] of ids.entries()) {
    const kind = kinds[index] ?? 0;
    const end = ends[index] ?? start;
    yield {
      id,
      signal: SIGNALS[kind >> 2] ?? 'traces',
      encoding: ENCODINGS[(kind >> 1) & 1] ?? 'protobuf',
      transport: TRANSPORTS[kind & 1] ?? 'http',
      body: bodies.subarray(start, end),
    };
    start = end;
  }
}
