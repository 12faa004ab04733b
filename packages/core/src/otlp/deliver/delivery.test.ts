import { createServer } from 'node:http';
import type { IncomingHttpHeaders, Server, ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { gunzipSync } from 'node:zlib';
import { afterEach, expect, test, vi } from 'vitest';
import { createDelivery } from './delivery.ts';
import type { Delivery, DeliveryOptions } from './delivery-options.ts';
import type { Timers } from './timers.ts';

interface Received {
  readonly records: readonly string[];
  readonly headers: IncomingHttpHeaders;
  /** Not the first request on its socket. */
  readonly isReused: boolean;
}

interface Backend {
  readonly url: string;
  /** Every request, also those refused. */
  readonly requests: Received[];
  /** Records of the requests answered with 200. */
  readonly accepted: string[];
  readonly server: Server;
}

type Reply =
  | { readonly status?: number; readonly headers?: Record<string, string>; readonly body?: string }
  | 'hang'
  | 'cut';

const opened: { close(): unknown }[] = [];
afterEach(async () => {
  for (const each of opened.splice(0)) await each.close();
});

/** Records are lines. `reply` decides by the number of the request, from 1. */
async function backend(reply: (request: number, received: Received) => Reply = () => ({}), port = 0): Promise<Backend> {
  const requests: Received[] = [];
  const accepted: string[] = [];
  const used = new WeakSet<object>();
  const server = createServer((incoming, outgoing) => {
    const chunks: Buffer[] = [];
    incoming.on('data', (chunk: Buffer) => chunks.push(chunk));
    incoming.on('end', () => {
      const body = Buffer.concat(chunks);
      const text = (incoming.headers['content-encoding'] === 'gzip' ? gunzipSync(body) : body).toString();
      const received = {
        records: text.split('\n').slice(0, -1),
        headers: incoming.headers,
        isReused: used.has(incoming.socket),
      };
      used.add(incoming.socket);
      requests.push(received);
      answer(outgoing, reply(requests.length, received), () => accepted.push(...received.records));
    });
  });
  await new Promise<void>((resolve) => server.listen(port, '127.0.0.1', resolve));
  opened.push({
    close: () => {
      server.closeAllConnections();
      server.close();
    },
  });
  return { url: `http://127.0.0.1:${(server.address() as AddressInfo).port}/v1/traces`, requests, accepted, server };
}

function answer(outgoing: ServerResponse, reply: Reply, accept: () => void): void {
  if (reply === 'hang') return;
  if (reply === 'cut') {
    outgoing.socket?.destroy();
    return;
  }
  const status = reply.status ?? 200;
  if (status === 200) accept();
  outgoing.writeHead(status, reply.headers).end(reply.body);
}

interface Subject {
  readonly delivery: Delivery;
  readonly lines: string[];
}

function deliveryTo(url: string, options: Partial<DeliveryOptions> = {}): Subject {
  const lines: string[] = [];
  const delivery = createDelivery({
    name: 'otlp',
    url,
    contentType: 'text/plain',
    assemble: (records) => Buffer.concat(records),
    retry: { initialMs: 1, maxMs: 1 },
    diag: (level, message) => lines.push(`${level} ${message}`),
    ...options,
  });
  opened.push({ close: () => void delivery.close(0).catch(() => undefined) });
  return { delivery, lines };
}

function enqueue(delivery: Delivery, ...records: readonly (string | number)[]): void {
  for (const record of records) delivery.enqueue(Buffer.from(`${record}\n`));
}

const eventually = (check: () => void): Promise<void> => vi.waitFor(check, 10_000);
const oneTo = (count: number): string[] => Array.from({ length: count }, (_, index) => String(index + 1));

/** A clock that stands still until it is told to go on. */
function manualTimers(): Timers & { advance(ms: number): void; waits(): number[] } {
  let now = Date.UTC(2026, 0, 1);
  const pending = new Map<() => void, number>();
  return {
    now: () => now,
    after: (ms, run) => {
      const key = (): void => run();
      pending.set(key, now + ms);
      return () => pending.delete(key);
    },
    advance: (ms) => {
      now += ms;
      for (const [run, at] of [...pending]) if (at <= now && pending.delete(run)) run();
    },
    waits: () => [...pending.values()].map((at) => at - now).sort((a, b) => a - b),
  };
}

test('records arrive once each and in order, in batches of at most the given count', async () => {
  const { url, requests } = await backend();
  const { delivery } = deliveryTo(url, { maxBatchItems: 4 });
  enqueue(delivery, ...oneTo(10));
  await delivery.flush(5_000);
  expect(requests.map(({ records }) => records)).toEqual([
    ['1', '2', '3', '4'],
    ['5', '6', '7', '8'],
    ['9', '10'],
  ]);
  expect(delivery.stats()).toEqual({ delivered: 10, queued: 0, dropped: {}, spooled: 0 });
});

test('a batch stays within its bytes, and a record larger than a batch travels alone', async () => {
  const { url, requests } = await backend();
  const { delivery } = deliveryTo(url, { maxBatchBytes: 10 });
  enqueue(delivery, 'aaaa', 'bbbb', 'cccc', 'd'.repeat(50), 'eeee');
  await delivery.flush(5_000);
  expect(requests.map(({ records }) => records)).toEqual([['aaaa', 'bbbb'], ['cccc'], ['d'.repeat(50)], ['eeee']]);
});

test('a full batch leaves without a flush, the rest after the schedule', async () => {
  const { url, requests } = await backend();
  const timers = manualTimers();
  const { delivery } = deliveryTo(url, { maxBatchItems: 2, scheduleMs: 500, timers });
  enqueue(delivery, 1);
  expect(timers.waits()).toEqual([500]);
  enqueue(delivery, 2);
  expect(timers.waits()).toEqual([0]);
  timers.advance(0);
  await eventually(() => expect(requests.map(({ records }) => records)).toEqual([['1', '2']]));
});

test('a gzip body has its length, its encoding and the given headers', async () => {
  const { url, requests } = await backend();
  const { delivery } = deliveryTo(url, { compression: 'gzip', headers: () => ({ 'X-Key': 'k1' }) });
  enqueue(delivery, 'ü'.repeat(5_000));
  await delivery.flush(5_000);
  expect(requests[0]?.records).toEqual(['ü'.repeat(5_000)]);
  expect(requests[0]?.headers).toMatchObject({
    'content-encoding': 'gzip',
    'content-type': 'text/plain',
    'x-key': 'k1',
  });
  expect(Number(requests[0]?.headers['content-length'])).toBeGreaterThan(20);
  expect(requests[0]?.headers['transfer-encoding']).toBeUndefined();
});

test.each([502, 503, 504, 429])('after a %i the batch is sent again and counted once', async (status) => {
  const { url, requests, accepted } = await backend((request) => (request < 3 ? { status } : {}));
  const { delivery, lines } = deliveryTo(url, { maxBatchItems: 1 });
  enqueue(delivery, 1, 2);
  await delivery.flush(5_000);
  expect(accepted).toEqual(['1', '2']);
  expect(requests.map(({ records }) => records)).toEqual([['1'], ['1'], ['1'], ['2']]);
  expect(delivery.stats()).toMatchObject({ delivered: 2, dropped: {} });
  expect(lines).toHaveLength(1);
});

test.each([
  ['seconds', { 'retry-after': '7' }, 7_000],
  // The server's clock is an hour ahead of ours.
  ['a date', { 'retry-after': 'Thu, 01 Jan 2026 01:00:09 GMT', date: 'Thu, 01 Jan 2026 01:00:00 GMT' }, 9_000],
])('Retry-After in %s is waited for, also by a flush', async (_, headers, waitMs) => {
  const { url, requests, accepted } = await backend((request) => (request === 1 ? { status: 429, headers } : {}));
  const timers = manualTimers();
  const { delivery } = deliveryTo(url, { timers });
  enqueue(delivery, 1);
  timers.advance(500);
  await eventually(() => expect(timers.waits()).toEqual([waitMs]));
  // It cannot succeed before its deadline, so it need not wait for it.
  await expect(delivery.flush(waitMs - 1)).rejects.toThrow('1 records not delivered');
  timers.advance(waitMs - 1);
  expect(requests).toHaveLength(1);
  timers.advance(1);
  await eventually(() => expect(accepted).toEqual(['1']));
});

test('waits double up to the limit, with full jitter, and records are given up after the limit of time', async () => {
  const { url } = await backend(() => ({ status: 503 }));
  const timers = manualTimers();
  const { delivery } = deliveryTo(url, {
    timers,
    random: () => 0.5,
    retry: { initialMs: 100, maxMs: 300, maxElapsedMs: 500 },
  });
  enqueue(delivery, 1);
  timers.advance(500);
  for (const waitMs of [50, 100, 150, 150]) {
    await eventually(() => expect(timers.waits()).toEqual([waitMs]));
    timers.advance(waitMs);
  }
  await eventually(() => expect(delivery.stats()).toMatchObject({ queued: 0, dropped: { retry_expired: 1 } }));
});

test('a 401 drops the batch with one line that says what, where and how to fix it, and no secret', async () => {
  const { url } = await backend(() => ({
    status: 401,
    headers: { 'content-type': 'text/plain' },
    body: 'no such key sk-1234567 at /base/v1/traces?api_key=query-secret&v=1 for user:pass',
  }));
  const secret = url.replace('http://', 'http://user:pass@') + '?api_key=query-secret&v=1';
  const { delivery, lines } = deliveryTo(secret, { headers: { authorization: 'Bearer sk-1234567' }, maxBatchItems: 1 });
  enqueue(delivery, 1, 2, 3);
  await expect(delivery.flush(5_000)).rejects.toThrow(`otlp: 3 records not delivered: ${url} answered 401`);
  expect(lines).toEqual([
    `error otlp: 1 records dropped: ${url} answered 401 ("no such key *** at /base/v1/traces?*** for ***"). Check the key: ` +
      'is it the right one for this endpoint and region, and is it configured where this process reads it?',
  ]);
  expect(delivery.stats()).toMatchObject({ delivered: 0, dropped: { http_401: 3 } });
  // What was told once is not told again.
  await expect(delivery.flush(5_000)).resolves.toBeUndefined();
});

test.each([400, 403, 404, 415, 301, 500])('a %i is final', async (status) => {
  const { url, requests } = await backend(() => ({ status, headers: { location: 'http://127.0.0.1:1/' } }));
  const { delivery } = deliveryTo(url);
  enqueue(delivery, 1);
  await expect(delivery.flush(5_000)).rejects.toMatchObject({ code: 'undelivered' });
  expect(requests).toHaveLength(1);
  expect(delivery.stats().dropped).toEqual({ [`http_${status}`]: 1 });
});

test('advice of the sink goes before our own', async () => {
  const { url } = await backend(() => ({ status: 401 }));
  const { delivery, lines } = deliveryTo(url, { fixes: { 401: 'Check LANGFUSE_SECRET_KEY.' } });
  enqueue(delivery, 1);
  await expect(delivery.flush(5_000)).rejects.toThrow('Check LANGFUSE_SECRET_KEY.');
  expect(lines[0]).toContain('Check LANGFUSE_SECRET_KEY.');
});

test('a 413 halves the batch until it passes, and later batches stay within what passed', async () => {
  const { url, requests, accepted } = await backend((_, { records }) => (records.length > 2 ? { status: 413 } : {}));
  const { delivery } = deliveryTo(url, { maxBatchItems: 8 });
  enqueue(delivery, 10, 11, 12, 13, 14, 15, 16, 17, 18, 19, 20, 21);
  await delivery.flush(5_000);
  expect(accepted).toEqual(['10', '11', '12', '13', '14', '15', '16', '17', '18', '19', '20', '21']);
  expect(requests.map(({ records }) => records.length)).toEqual([8, 4, 2, 2, 4, 2, 2, 2, 2]);
});

test('the one record that is too large is dropped, the others arrive', async () => {
  const { url, accepted } = await backend((_, { records }) => (records.includes('big') ? { status: 413 } : {}));
  const { delivery } = deliveryTo(url);
  enqueue(delivery, 1, 2, 'big', 3);
  await expect(delivery.flush(5_000)).rejects.toThrow('1 records not delivered');
  expect(accepted).toEqual(['1', '2', '3']);
  expect(delivery.stats()).toMatchObject({ delivered: 3, dropped: { too_large: 1 } });
});

test('a backend that comes up late gets everything exactly once', async () => {
  const first = await backend();
  await new Promise((resolve) => first.server.close(resolve));
  const { delivery, lines } = deliveryTo(first.url, { maxBatchItems: 3 });
  enqueue(delivery, ...oneTo(10));
  const flushed = delivery.flush(30_000);
  await eventually(() => expect(lines[0]).toContain('Nothing listens there'));
  const { accepted } = await backend(() => ({}), Number(new URL(first.url).port));
  await flushed;
  expect(accepted).toEqual(oneTo(10));
  expect(delivery.stats()).toMatchObject({ delivered: 10, dropped: {} });
});

test('an idle socket that the server closes is no failure', async () => {
  const { url, accepted, requests } = await backend((_, { isReused }) => (isReused ? 'cut' : {}));
  // With a retry this would wait for a timer that never fires.
  const { delivery, lines } = deliveryTo(url, { timers: manualTimers(), random: () => 1 });
  for (const record of oneTo(3)) {
    enqueue(delivery, record);
    await delivery.flush(1_000);
  }
  expect(accepted).toEqual(oneTo(3));
  expect(requests).toHaveLength(5);
  expect(lines).toEqual([]);
});

test('a hanging backend holds a flush no longer than its deadline, and is tried again after the request timeout', async () => {
  const { url, requests, accepted } = await backend((request) => (request === 1 ? 'hang' : {}));
  const timers = manualTimers();
  const { delivery, lines } = deliveryTo(url, { timers, requestTimeoutMs: 10_000 });
  enqueue(delivery, 1, 2);
  const flushed = delivery.flush(1_000);
  await eventually(() => expect(requests).toHaveLength(1));
  timers.advance(1_000);
  await expect(flushed).rejects.toThrow('2 records not delivered');
  expect(delivery.stats()).toMatchObject({ queued: 2 });
  timers.advance(9_000);
  await eventually(() => expect(lines[0]).toContain('did not answer within 10000 ms'));
  await delivery.flush(1_000);
  expect(accepted).toEqual(['1', '2']);
});

test('close ends a hanging request and counts what was on its way', async () => {
  const { url, requests, server } = await backend(() => 'hang');
  const { delivery } = deliveryTo(url);
  enqueue(delivery, 1, 2);
  const hungUp = new Promise((resolve) => server.once('connection', (socket) => socket.once('close', resolve)));
  const closed = delivery.close(50);
  await expect(closed).rejects.toMatchObject({ code: 'undelivered' });
  await hungUp;
  expect(requests).toHaveLength(1);
  expect(delivery.stats()).toEqual({ delivered: 0, queued: 0, dropped: { close_deadline: 2 }, spooled: 0 });
});

test('after close a record is dropped and counted; closing twice is closing once', async () => {
  const { url, accepted } = await backend();
  const { delivery } = deliveryTo(url);
  enqueue(delivery, 1);
  await Promise.all([delivery.close(5_000), delivery.close(5_000)]);
  enqueue(delivery, 2);
  expect(accepted).toEqual(['1']);
  expect(delivery.stats()).toEqual({ delivered: 1, queued: 0, dropped: { closed: 1 }, spooled: 0 });
});

test('a full queue loses the oldest, counts them and says so once', async () => {
  const { url, accepted } = await backend();
  const { delivery, lines } = deliveryTo(url, { maxQueueBytes: 10 });
  enqueue(delivery, ...oneTo(8), 'x'.repeat(20));
  await expect(delivery.flush(5_000)).rejects.toThrow('4 records not delivered');
  expect(accepted).toEqual(['4', '5', '6', '7', '8']);
  expect(delivery.stats().dropped).toEqual({ queue_full: 3, too_large: 1 });
  expect(lines.filter((line) => line.includes('queue is full'))).toHaveLength(1);
});

test('what the backend rejects from an accepted batch is counted and told', async () => {
  const { url } = await backend(() => ({
    body: JSON.stringify({ rejected: 2, message: `span\u001b[2J\ntoo old ${'x'.repeat(300)}` }),
    headers: { 'content-type': 'application/json' },
  }));
  const { delivery, lines } = deliveryTo(url, {
    readResponse: (body) => JSON.parse(Buffer.from(body).toString()) as { rejected: number },
  });
  enqueue(delivery, 1, 2, 3);
  await expect(delivery.flush(5_000)).rejects.toThrow('2 records not delivered');
  expect(delivery.stats()).toMatchObject({ delivered: 1, dropped: { rejected: 2 } });
  expect(lines[0]).toContain(`rejected 2 of 3 records ("span [2J too old ${'x'.repeat(183)}")`);
});

test('several requests at a time deliver everything once', async () => {
  const { url, accepted } = await backend((request) => (request % 5 === 0 ? { status: 503 } : {}));
  const { delivery } = deliveryTo(url, { concurrency: 4, maxBatchItems: 7 });
  enqueue(delivery, ...oneTo(500));
  await delivery.flush(10_000);
  expect([...accepted].sort((a, b) => Number(a) - Number(b))).toEqual(oneTo(500));
});

test('every request runs inside the given suppression, and nothing that is passed in can break the delivery', async () => {
  const { url, accepted } = await backend();
  let runs = 0;
  const suppress = <T>(run: () => T): T => {
    runs += 1;
    return run();
  };
  const broken = {
    diag: () => {
      throw new Error('logger');
    },
    readResponse: () => {
      throw new Error('reader');
    },
  };
  const { delivery } = deliveryTo(url, { suppress, maxQueueBytes: 4, ...broken });
  enqueue(delivery, 1, 2, 3);
  await expect(delivery.flush(5_000)).rejects.toThrow('1 records');
  expect(accepted).toEqual(['2', '3']);
  expect(runs).toBe(1);
});

test('options that cannot work throw at once and show no secret', () => {
  expect(() => deliveryTo('localhost:4318')).toThrow('must be http:// or https://');
  expect(() => deliveryTo('key-in-no-url')).toThrow(
    'otlp: the endpoint is not a URL; it must look like https://host/v1/traces.',
  );
  expect(() => deliveryTo('http://127.0.0.1:1', { maxBatchItems: 0 })).toThrow('maxBatchItems is 0');
});
