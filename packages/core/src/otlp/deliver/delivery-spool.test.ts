import { spawn } from 'node:child_process';
import { appendFileSync, mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { crc32, gunzipSync } from 'node:zlib';
import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { createDelivery } from './delivery.ts';
import type { Delivery, DeliveryOptions } from './delivery-options.ts';
import type { Timers } from './timers.ts';

let directory = '';
const opened: { close(): unknown }[] = [];
beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), 'spool-'));
});
afterEach(async () => {
  for (const each of opened.splice(0)) await each.close();
  rmSync(directory, { recursive: true });
});

interface Backend {
  readonly url: string;
  readonly accepted: string[];
  status: Status | ((records: readonly string[]) => Status);
  /** Resolves when every client has gone, and with it whatever it had sent. */
  readonly quiet: () => Promise<void>;
}

type Status = number | 'hang';

/** Records are lines; answers whatever `status` says at the moment. */
async function backend(status: Backend['status'] = 200): Promise<Backend> {
  const server = createServer((incoming, outgoing) => {
    const chunks: Buffer[] = [];
    incoming.on('data', (chunk: Buffer) => chunks.push(chunk));
    incoming.on('end', () => {
      const body = Buffer.concat(chunks);
      const records = (incoming.headers['content-encoding'] === 'gzip' ? gunzipSync(body) : body)
        .toString()
        .split('\n')
        .slice(0, -1);
      const status = typeof self.status === 'function' ? self.status(records) : self.status;
      if (status === 'hang') return;
      if (status === 200) self.accepted.push(...records);
      outgoing.writeHead(status).end();
    });
  });
  const sockets = new Set<object>();
  server.on('connection', (socket) => {
    sockets.add(socket);
    socket.on('close', () => sockets.delete(socket));
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  opened.push({
    close: () => {
      server.closeAllConnections();
      server.close();
    },
  });
  const self: Backend = {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}/v1/traces`,
    accepted: [],
    status,
    quiet: () =>
      vi.waitFor(() => {
        if (sockets.size > 0) throw new Error('a client is still connected');
      }, 10_000),
  };
  return self;
}

const SECRET = 'sk-very-secret';

function deliveryTo(url: string, options: Partial<DeliveryOptions> = {}): Delivery {
  const delivery = createDelivery({
    name: 'otlp',
    url: `${url}?key=${SECRET}`,
    headers: { authorization: `Bearer ${SECRET}` },
    contentType: 'text/plain',
    assemble: (records) => Buffer.concat(records),
    retry: { initialMs: 1, maxMs: 1 },
    spool: { directory, mode: 'always' },
    ...options,
  });
  opened.push({ close: () => delivery.close(0).catch(() => undefined) });
  return delivery;
}

function enqueue(delivery: Delivery, ...records: readonly (string | number)[]): void {
  for (const record of records) delivery.enqueue(Buffer.from(`${record}\n`));
}

const eventually = (check: () => void): Promise<void> => vi.waitFor(check, 10_000);
const oneTo = (count: number): string[] => Array.from({ length: count }, (_, index) => String(index + 1));
const byNumber = (records: readonly string[]): string[] => [...records].sort((a, b) => Number(a) - Number(b));
const files = (): string[] =>
  readdirSync(directory, { recursive: true, withFileTypes: true }).flatMap((entry) =>
    entry.isFile() ? join(entry.parentPath, entry.name) : [],
  );

interface Run {
  readonly code: number | null;
  readonly signal: string | null;
  readonly output: string;
}

/** A process of its own that has `delivery` and `enqueue`; killed hard when it prints `killAt`. */
function run(
  url: string,
  body: string,
  options: { readonly mode?: string; readonly killAt?: string } = {},
): Promise<Run> {
  const program = `
    import { createDelivery } from ${JSON.stringify(new URL('./delivery.ts', import.meta.url).href)};
    const delivery = createDelivery({
      name: 'otlp', url: ${JSON.stringify(`${url}?key=${SECRET}`)}, headers: { authorization: 'Bearer ${SECRET}' }, contentType: 'text/plain',
      assemble: (records) => Buffer.concat(records), maxBatchItems: 10,
      ${options.mode === undefined ? '' : `spool: ${JSON.stringify({ directory, mode: options.mode })},`}
    });
    const enqueue = (first, last) => { for (let n = first; n <= last; n++) delivery.enqueue(Buffer.from(n + '\\n')); };
    ${body}`;
  const child = spawn(process.execPath, ['--no-warnings', '--input-type=module', '--eval', program], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  opened.push({ close: () => child.kill('SIGKILL') });
  let output = '';
  child.stdout.on('data', (chunk: Buffer) => {
    output += chunk.toString();
    if (options.killAt !== undefined && output.includes(options.killAt)) child.kill('SIGKILL');
  });
  return new Promise((resolve) => child.on('close', (code, signal) => resolve({ code, signal, output })));
}

test.each([
  'enqueue(1, 25);',
  'enqueue(1, 25); await delivery.flush(20).catch(() => {});',
  'enqueue(1, 25); await delivery.close(20).catch(() => {});',
])('a process with nothing else to do ends by itself beside a hanging backend: %s', async (body) => {
  const { url } = await backend('hang');
  expect(await run(url, body)).toMatchObject({ code: 0, signal: null });
});

test('a flush keeps the process alive until it has delivered', async () => {
  const { url, accepted } = await backend();
  const { output } = await run(
    url,
    `enqueue(1, 25); await delivery.flush(10_000); console.log(JSON.stringify(delivery.stats()));`,
  );
  expect(JSON.parse(output)).toEqual({ delivered: 25, queued: 0, dropped: {}, spooled: 0 });
  expect(accepted).toEqual(oneTo(25));
});

test('after kill -9 the next start delivers every record that had been enqueued, exactly once', async () => {
  const destination = await backend();
  // What comes after the flush is refused, so that no answer can be under way when the process dies.
  destination.status = (records) => (records.every((record) => Number(record) <= 25) ? 200 : 503);
  const body = `enqueue(1, 25); await delivery.flush(10_000); enqueue(26, 1025); console.log('go'); setInterval(() => {}, 1000);`;
  expect(await run(destination.url, body, { mode: 'always', killAt: 'go' })).toMatchObject({ signal: 'SIGKILL' });
  await destination.quiet();
  expect(destination.accepted).toEqual(oneTo(25));
  destination.status = 200;
  const next = deliveryTo(destination.url);
  enqueue(next, 1026);
  await next.flush(10_000);
  expect(byNumber(destination.accepted)).toEqual(oneTo(1026));
  expect(files()).toEqual([]);
});

test('what was delivered from a segment before kill -9 is not sent again', async () => {
  const destination = await backend();
  destination.status = (records) => (records.every((record) => Number(record) <= 10) ? 200 : 503);
  const body = `enqueue(1, 15); setInterval(() => { if (delivery.stats().delivered === 10) console.log('partly'); }, 5);`;
  expect(await run(destination.url, body, { mode: 'always', killAt: 'partly' })).toMatchObject({ signal: 'SIGKILL' });
  await destination.quiet();
  destination.status = 200;
  await deliveryTo(destination.url).flush(10_000);
  expect(byNumber(destination.accepted)).toEqual(oneTo(15));
});

test('persistSync at process exit keeps what is queued for the next start', async () => {
  const destination = await backend('hang');
  const body = `process.on('exit', () => delivery.persistSync()); enqueue(1, 25); setTimeout(() => process.exit(3), 50);`;
  expect(await run(destination.url, body, { mode: 'exit' })).toMatchObject({ code: 3 });
  await destination.quiet();
  destination.status = 200;
  await deliveryTo(destination.url, { spool: { directory } }).flush(10_000);
  expect(destination.accepted).toEqual(oneTo(25));
  expect(files()).toEqual([]);
});

test('two processes that start at once share what is there, each record once', async () => {
  const destination = await backend(503);
  const body = `enqueue(1, 200); console.log('g' + 'o'); setInterval(() => {}, 1000);`;
  await Promise.all([
    run(destination.url, body, { mode: 'always', killAt: 'go' }),
    run(destination.url, body.replace('1, 200', '201, 400'), { mode: 'always', killAt: 'go' }),
  ]);
  await destination.quiet();
  destination.status = 200;
  const sending = `await delivery.flush(10_000); console.log(delivery.stats().delivered);`;
  await Promise.all([
    run(destination.url, sending, { mode: 'always' }),
    run(destination.url, sending, { mode: 'always' }),
  ]);
  expect(byNumber(destination.accepted)).toEqual(oneTo(400));
});

test('what a living process is sending is left to it', async () => {
  const destination = await backend();
  const living = deliveryTo(destination.url, { scheduleMs: 600_000 });
  enqueue(living, 1, 2);
  await run(destination.url, `await delivery.flush(10_000);`, { mode: 'always' });
  expect(destination.accepted).toEqual([]);
  await living.flush(10_000);
  expect(destination.accepted).toEqual(['1', '2']);
});

test('files are 0600 in a 0700 folder, and hold records but no header and no query', async () => {
  const { url } = await backend('hang');
  const delivery = deliveryTo(url);
  enqueue(delivery, 'content');
  const [file = ''] = files();
  expect(statSync(file).mode & 0o777).toBe(0o600);
  expect(statSync(join(file, '..')).mode & 0o777).toBe(0o700);
  expect(readFileSync(file, 'latin1')).toContain('content');
  expect(readFileSync(file, 'latin1') + file).not.toContain(SECRET);
});

test('a record is u32 length, u32 CRC-32 and its bytes; a torn last one is skipped and counted', async () => {
  const destination = await backend('hang');
  const dying = deliveryTo(destination.url);
  enqueue(dying, 'one', 'two');
  await expect(dying.close(0)).rejects.toMatchObject({ code: 'undelivered' });
  const [file = ''] = files();
  const frame = (text: string): Buffer => {
    const head = Buffer.alloc(8);
    head.writeUInt32LE(text.length, 0);
    head.writeUInt32LE(crc32(text), 4);
    return Buffer.concat([head, Buffer.from(text)]);
  };
  expect(readFileSync(file)).toEqual(Buffer.concat([frame('one\n'), frame('two\n')]));
  appendFileSync(file, frame('three\n').subarray(0, 10));
  await destination.quiet();
  destination.status = (records) => (records.includes('two') ? 503 : 200);
  const second = deliveryTo(destination.url, { maxBatchItems: 1 });
  await expect(second.flush(10_000)).rejects.toThrow('1 records');
  expect(second.stats().dropped).toEqual({ spool_damaged: 1 });
  await second.close(0);
  await destination.quiet();
  // What the second has noted behind the torn frame can be read by the third.
  destination.status = 200;
  await deliveryTo(destination.url).flush(10_000);
  expect(destination.accepted).toEqual(['one', 'two']);
  expect(files()).toEqual([]);
});

test('with a spool, what the queue cannot hold waits on disk and is sent once the backend takes records', async () => {
  const destination = await backend(503);
  const delivery = deliveryTo(destination.url, { maxQueueBytes: 100, spool: { directory } });
  enqueue(delivery, ...oneTo(500));
  await eventually(() => expect(delivery.stats().spooled).toBeGreaterThan(400));
  destination.status = 200;
  await delivery.flush(10_000);
  expect(byNumber(destination.accepted)).toEqual(oneTo(500));
  expect(delivery.stats()).toMatchObject({ delivered: 500, queued: 0, dropped: {} });
  expect(files()).toEqual([]);
});

test('what was put on disk after its retries is sent by the same process, without a flush, once the backend is back', async () => {
  const destination = await backend(503);
  const delivery = deliveryTo(destination.url, {
    scheduleMs: 0,
    random: () => 1,
    retry: { initialMs: 40, maxMs: 40, maxElapsedMs: 1 },
    spool: { directory },
  });
  enqueue(delivery, 1, 2);
  await eventually(() => expect(delivery.stats()).toMatchObject({ queued: 0, spooled: 2 }));
  destination.status = 200;
  await eventually(() => expect(destination.accepted).toEqual(['1', '2']));
  await eventually(() => expect(files()).toEqual([]));
});

test('a pause that ends while it is being looked at ends', async () => {
  const destinations = await Promise.all(
    Array.from({ length: 24 }, async (_, index) => {
      let now = Date.UTC(2026, 0, 1);
      const timers: Timers = {
        // Each look at the clock takes a millisecond, as it can on a busy machine.
        now: () => (now += 1),
        after: (ms, run) => {
          const isPause = ms < 100;
          const timer = setTimeout(
            () => {
              now += ms;
              run();
            },
            isPause ? 0 : ms,
          );
          return () => clearTimeout(timer);
        },
      };
      const destination = await backend(503);
      const delivery = deliveryTo(destination.url, {
        timers,
        scheduleMs: 0,
        random: () => 1,
        retry: { initialMs: index + 1, maxMs: index + 1, maxElapsedMs: 1 },
        spool: { directory: join(directory, String(index)) },
      });
      enqueue(delivery, 1, 2);
      await eventually(() => expect(delivery.stats()).toMatchObject({ queued: 0, spooled: 2 }));
      destination.status = 200;
      return destination;
    }),
  );
  await eventually(() =>
    expect(destinations.map(({ accepted }) => accepted)).toEqual(destinations.map(() => ['1', '2'])),
  );
});

test('a flush rejects for what waits on disk', async () => {
  const destination = await backend(503);
  const delivery = deliveryTo(destination.url, { maxQueueBytes: 8, spool: { directory } });
  enqueue(delivery, ...oneTo(9));
  await expect(delivery.flush(50)).rejects.toThrow('9 records not delivered');
  destination.status = 200;
  await delivery.flush(10_000);
  expect(byNumber(destination.accepted)).toEqual(oneTo(9));
});

test('what was refused for good is not said to be in the spool', async () => {
  const destination = await backend(401);
  const delivery = deliveryTo(destination.url);
  enqueue(delivery, 1, 2, 3);
  const failure: unknown = await delivery.flush(10_000).catch((error: unknown) => error);
  expect(String(failure)).toMatch(/3 records not delivered: .* answered 401/);
  expect(String(failure)).not.toContain('spool');
  expect(delivery.stats().dropped).toEqual({ http_401: 3 });
});

test('what persistSync has written is no longer sent by this process, even when its request was under way', async () => {
  const destination = await backend();
  const delivery = deliveryTo(destination.url, { compression: 'gzip', spool: { directory } });
  enqueue(delivery, 1, 2);
  const flushed = delivery.flush(10_000);
  delivery.persistSync();
  await expect(flushed).rejects.toThrow('2 records not delivered');
  enqueue(delivery, 3);
  await delivery.flush(10_000);
  expect(destination.accepted).toEqual(['3']);
  await deliveryTo(destination.url).flush(10_000);
  expect(destination.accepted).toEqual(['3', '1', '2']);
});

test('persistSync ends the request under way', async () => {
  const destination = await backend('hang');
  const delivery = deliveryTo(destination.url, { spool: { directory } });
  enqueue(delivery, 1);
  await expect(delivery.flush(50)).rejects.toMatchObject({ code: 'undelivered' });
  delivery.persistSync();
  await destination.quiet();
  expect(delivery.stats()).toMatchObject({ queued: 0, spooled: 1, dropped: {} });
});

test('the spool keeps to its size: the oldest segment goes first and is counted', async () => {
  const destination = await backend('hang');
  const dying = deliveryTo(destination.url, { spool: { directory, maxBytes: 2_000 } });
  enqueue(dying, ...oneTo(999).map((record) => record.padStart(12, '0')));
  dying.persistSync();
  const kept = files().reduce((bytes, file) => bytes + statSync(file).size, 0);
  expect(kept).toBeLessThanOrEqual(2_000);
  const lost = dying.stats().dropped['spool_full'] ?? 0;
  destination.status = 200;
  await deliveryTo(destination.url, { spool: { directory } }).flush(10_000);
  expect(byNumber(destination.accepted).map(Number)).toEqual(oneTo(999).map(Number).slice(lost));
});

test('a spool that cannot be written is told once and costs nothing else', async () => {
  const destination = await backend();
  writeFileSync(join(directory, 'file'), '');
  const lines: string[] = [];
  const delivery = deliveryTo(destination.url, {
    spool: { directory: join(directory, 'file'), mode: 'always' },
    diag: (_, line) => lines.push(line),
  });
  enqueue(delivery, 1, 2);
  await delivery.flush(10_000);
  expect(destination.accepted).toEqual(['1', '2']);
  expect(lines.filter((line) => line.includes('cannot use the spool'))).toHaveLength(1);
});
