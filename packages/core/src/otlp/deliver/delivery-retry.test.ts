import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { createDelivery } from './delivery.ts';
import type { Delivery, DeliveryError, DeliveryOptions } from './delivery-options.ts';
import type { TransportResponse } from './http-transport.ts';

beforeEach(() => {
  vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout', 'performance'] });
});
afterEach(() => {
  vi.useRealTimers();
});

type Reply = Partial<TransportResponse>;

interface Subject {
  readonly delivery: Delivery;
  /** Milliseconds from the first request to each. */
  readonly requestedAt: number[];
}

/** Nothing random: each wait is `initialMs` doubled per failure. */
function deliveryTo(reply: (request: number) => Reply, options: Partial<DeliveryOptions> = {}): Subject {
  const requestedAt: number[] = [];
  let first: number | undefined;
  const delivery = createDelivery({
    name: 'otlp',
    url: 'http://host.example/v1/traces',
    contentType: 'text/plain',
    assemble: (records) => Buffer.concat(records),
    scheduleMs: 0,
    random: () => 1,
    retry: { initialMs: 1_000, maxMs: 30_000, maxElapsedMs: 300_000 },
    transport: {
      post: () => {
        first ??= performance.now();
        requestedAt.push(Math.round(performance.now() - first));
        return Promise.resolve({ status: 200, headers: {}, body: Buffer.alloc(0), ...reply(requestedAt.length) });
      },
      close: () => undefined,
    },
    ...options,
  });
  return { delivery, requestedAt };
}

const record = Buffer.from('record\n');
const pass = (ms: number): Promise<unknown> => vi.advanceTimersByTimeAsync(ms);

async function flushFor(delivery: Delivery, ms: number): Promise<unknown> {
  const flushed = delivery.flush(ms).catch((error: unknown) => error);
  await pass(ms);
  return flushed;
}

test('a flush that is under way ends with close, however much time it had', async () => {
  const { delivery } = deliveryTo(() => ({ status: 503 }));
  delivery.enqueue(record);
  const flushed = delivery.flush(60_000).catch((error: unknown) => error);
  const closed = delivery.close(100).catch((error: unknown) => error);
  await pass(100);
  const expected = expect.objectContaining({ code: 'undelivered' }) as unknown;
  expect(await Promise.all([flushed, closed])).toEqual([expected, expected]);
});

test('flushes one after the other cut each wait for a sick backend short once', async () => {
  const { delivery, requestedAt } = deliveryTo(() => ({ status: 503 }));
  delivery.enqueue(record);
  await pass(1);
  for (let count = 0; count < 300; count += 1) await flushFor(delivery, 100);
  // 30 s. Waits of 1, 2, 4, 8, 16 and 30 s would be six requests without a flush; with one in each it is up to twice that.
  expect(requestedAt.length).toBeGreaterThan(6);
  expect(requestedAt.length).toBeLessThanOrEqual(12);
});

test('a flush tries at once within a long wait, and when it succeeds the next failure waits briefly again', async () => {
  const { delivery, requestedAt } = deliveryTo((request) => ({
    status: [503, 503, 503, 503, 200, 503][request - 1] ?? 200,
  }));
  delivery.enqueue(record);
  await pass(8_000);
  expect(requestedAt).toEqual([0, 1_000, 3_000, 7_000]);
  await expect(flushFor(delivery, 100)).resolves.toBeUndefined();
  delivery.enqueue(record);
  await pass(1);
  await expect(flushFor(delivery, 100)).resolves.toBeUndefined();
  expect(delivery.stats()).toMatchObject({ delivered: 2, queued: 0 });
});

const inTenMinutes = { status: 429, headers: { 'retry-after': '600' } };

test('records outlast a Retry-After that is longer than retries go on', async () => {
  const { delivery, requestedAt } = deliveryTo((request) => (request === 1 ? inTenMinutes : {}));
  delivery.enqueue(record);
  await pass(599_000);
  expect(delivery.stats()).toMatchObject({ queued: 1, dropped: {} });
  await pass(2_000);
  expect(requestedAt).toEqual([0, 600_000]);
  expect(delivery.stats()).toMatchObject({ delivered: 1, queued: 0, dropped: {} });
});

test('a backend that asks for one long pause after the other gets no record a third time', async () => {
  const { delivery, requestedAt } = deliveryTo(() => inTenMinutes);
  delivery.enqueue(record);
  await pass(3_600_000);
  expect(requestedAt).toEqual([0, 600_000]);
  expect(delivery.stats()).toMatchObject({ queued: 0, dropped: { retry_expired: 1 } });
});

test('during a long pause the queue keeps to its size', async () => {
  const { delivery } = deliveryTo(() => inTenMinutes, { maxQueueBytes: 3 * record.byteLength });
  delivery.enqueue(record);
  await pass(1);
  for (let count = 0; count < 5; count += 1) delivery.enqueue(record);
  expect(delivery.stats()).toMatchObject({ queued: 3, dropped: { queue_full: 3 } });
});

interface Ending extends Subject {
  readonly said: string[];
}

function ending(reply: () => Reply | 'hang'): Ending {
  const said: string[] = [];
  const post = async (): Promise<TransportResponse> => {
    const answer = reply();
    if (answer === 'hang') return new Promise<never>(() => undefined);
    return { status: 200, headers: {}, body: Buffer.alloc(0), ...answer };
  };
  const diag = (level: string, line: string): void => void said.push(`${level}: ${line}`);
  return { ...deliveryTo(() => ({}), { diag, transport: { post, close: () => undefined } }), said };
}

test('at the very end what is left without a spool is lost, counted and told', () => {
  const { delivery, said } = ending(() => 'hang');
  delivery.enqueue(record);
  delivery.enqueue(record);
  delivery.persistSync();
  expect([delivery.stats().queued, said]).toEqual([2, []]);
  delivery.persistSync(true);
  expect(delivery.stats()).toEqual({ delivered: 0, queued: 0, dropped: { exit: 2 }, spooled: 0 });
  expect(said).toEqual([expect.stringMatching(/^warn: otlp: 2 records are lost, .* tracing\.close\(\) .* spool/)]);
});

test('at the very end nothing is told twice: neither what the backend answers nor what a flush was told', async () => {
  const refusing = ending(() => ({ status: 503 }));
  refusing.delivery.enqueue(record);
  await flushFor(refusing.delivery, 100);
  refusing.delivery.persistSync(true);
  expect([refusing.delivery.stats().dropped, refusing.said.length]).toEqual([{ exit: 1 }, 1]);

  const hanging = ending(() => 'hang');
  hanging.delivery.enqueue(record);
  const failure = (await flushFor(hanging.delivery, 100)) as DeliveryError;
  expect(failure.isTold).toBe(false);
  failure.isTold = true;
  hanging.delivery.persistSync(true);
  expect([hanging.delivery.stats().dropped, hanging.said]).toEqual([{ exit: 1 }, []]);
});

test('a process that ends with nothing to send has nothing to say', () => {
  const { delivery, said } = ending(() => 'hang');
  delivery.persistSync(true);
  expect([delivery.stats().dropped, said]).toEqual([{}, []]);
});
