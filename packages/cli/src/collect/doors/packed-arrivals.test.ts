import { describe, expect, test } from 'vitest';
import type { Arrival } from './desk.ts';
import { type NumberedArrival, packArrivals, unpackArrivals } from './packed-arrivals.ts';

const kinds = (['traces', 'logs', 'metrics'] as const).flatMap((signal) =>
  (['protobuf', 'json'] as const).flatMap((encoding) =>
    (['http', 'grpc'] as const).map((transport) => ({ signal, encoding, transport })),
  ),
);

function arrival(id: number, kind: Omit<Arrival, 'body'>, body: Uint8Array): NumberedArrival {
  return { id, ...kind, body };
}

const crossed = (arrivals: readonly NumberedArrival[]): readonly NumberedArrival[] => {
  const packed = packArrivals(arrivals);
  return [...unpackArrivals(structuredClone(packed, { transfer: [packed.bodies.buffer] }))];
};

describe('arrivals come out as they went in', () => {
  test('of every kind, empty ones and those within memory of others too, however many there were before', () => {
    const memory = new Uint8Array([0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11]);
    const arrivals = kinds.map((kind, index) => arrival(2 ** 40 + index, kind, memory.subarray(index, 2 * index)));
    expect(crossed(arrivals)).toEqual(
      kinds.map((kind, index) => arrival(2 ** 40 + index, kind, Uint8Array.from(memory.slice(index, 2 * index)))),
    );
  });

  test('alone, with the memory that it has to itself, or a copy of its part of what others are in', () => {
    const [kind] = kinds as [Omit<Arrival, 'body'>];
    const own = new Uint8Array([1, 2, 3]);
    expect(crossed([arrival(1, kind, own)])).toEqual([arrival(1, kind, new Uint8Array([1, 2, 3]))]);
    expect(own.byteLength).toBe(0);
    const shared = new Uint8Array([1, 2, 3, 4]);
    expect(crossed([arrival(1, kind, shared.subarray(1, 3))])).toEqual([arrival(1, kind, new Uint8Array([2, 3]))]);
    expect(shared.byteLength).toBe(4);
  });
});
