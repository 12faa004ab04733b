import { Agent, request as post } from 'node:http';
import { setTimeout as delay } from 'node:timers/promises';
import workers from 'node:worker_threads';
import { afterEach, expect, test } from 'vitest';
import { type Loopback, startLoopback } from '../start-loopback.ts';
import { messagesServer } from './__fixtures__/messages-server.ts';
import { readHere } from './read-wire.ts';
import { startWire, type Wire, type WireFailure, type WireOptions } from './start-wire.ts';
import type { WireExchange } from './wire-exchange.ts';

const open: (Wire | Loopback)[] = [];

afterEach(async () => {
  for (const one of open.splice(0).toReversed()) await one.close();
});

function start(options: Partial<WireOptions> = {}): {
  readonly wire: Wire;
  readonly reader: Loopback;
  readonly failures: WireFailure[];
} {
  const reader = startLoopback({ waitMs: 10_000 });
  const failures: WireFailure[] = [];
  const wire = startWire({ reader, waitMs: 10_000, onFailure: (failure) => void failures.push(failure), ...options });
  open.push(reader, wire);
  return { wire, reader, failures };
}

function route(wire: Wire, port: number): { readonly url: string; readonly seen: WireExchange[]; release(): void } {
  const seen: WireExchange[] = [];
  const upstream = { host: '127.0.0.1', port, isTls: false, basePath: '' };
  const registered = wire.register({ upstream, exchange: (exchange) => void seen.push(exchange) });
  return { url: `${registered.baseUrl()}/v1/messages`, seen, release: () => registered.release() };
}

interface Sent {
  readonly url: string;
  readonly body: string;
  readonly agent?: Agent;
  readonly leavesEarly?: boolean;
}

/** The answer's text; undefined for a client that left. */
function ask({ url, body, agent, leavesEarly = false }: Sent): Promise<string | undefined> {
  return new Promise((resolve, reject) => {
    const sent = post(url, { method: 'POST', ...(agent === undefined ? {} : { agent }) }, (response) => {
      let text = '';
      response.on('data', (bytes: Buffer) => {
        text += bytes.toString();
        if (!leavesEarly) return;
        sent.destroy();
        resolve(undefined);
      });
      response.on('end', () => resolve(text));
      response.on('error', (error) => (leavesEarly ? undefined : reject(error)));
    });
    sent.on('error', (error) => (leavesEarly ? resolve(undefined) : reject(error)));
    sent.end(body);
  });
}

const bodyOf = (text: string): string =>
  JSON.stringify({ model: 'model', messages: [{ role: 'user', content: text }] });

async function until(isMet: () => boolean): Promise<void> {
  while (!isMet()) await delay(5);
}

test('a request is passed on by one thread, read by another, and told on this one', async () => {
  await using api = await messagesServer();
  const { wire } = start();
  const { url, seen } = route(wire, api.port);
  expect(await ask({ url, body: bodyOf('hi') })).toContain('message_stop');
  await until(() => seen.length === 1);
  expect(seen).toMatchObject([
    {
      number: 0,
      requestId: 'req_1',
      end: 'complete',
      request: { model: 'model', purpose: 'turn', messages: [{ role: 'user', content: 'hi' }], isFirst: true },
      answer: { messageId: 'msg_1', blocks: [{ type: 'text', text: 'Hello you' }], stopReason: 'end_turn' },
      gaps: [],
    },
  ]);
  const [{ startedAt, firstByteAt, endedAt } = { startedAt: 0, firstByteAt: 0, endedAt: 0 }] = seen;
  expect(startedAt <= (firstByteAt ?? 0) && (firstByteAt ?? 0) <= endedAt).toBe(true);
});

test('of 10,000 requests none is lost: with a program that computes, clients that leave, and bodies that nobody understands', async () => {
  await using api = await messagesServer();
  const { wire } = start();
  const { url, seen } = route(wire, api.port);
  const kinds = [
    bodyOf('plain'),
    bodyOf('leave early'),
    'this is { no JSON',
    '{"messages":[{"role":"user","content":[{"type":"hologram","data":[1,2]}]},{"role":"chorus","content":7}]}',
    '{"messages":{"not":"a list"}}',
    '',
  ];
  const agent = new Agent({ keepAlive: true, maxSockets: 16 });
  let number = 0;
  const lane = async (): Promise<void> => {
    while (number < 10_000) {
      const body = kinds[number++ % kinds.length] ?? '';
      await ask({ url, body, agent, leavesEarly: body.includes('leave early') });
      if (number % 1000 === 0) for (const end = performance.now() + 50; performance.now() < end; );
    }
  };
  await Promise.all(Array.from({ length: 16 }, lane));
  agent.destroy();
  await until(() => seen.length >= 10_000 && wire.stats().waitingBytes === 0);
  expect(api.asked()).toBe(10_000);
  expect(wire.stats()).toMatchObject({
    calls: 10_000,
    captured: 10_000,
    lost: 0,
    late: 0,
    thinned: 0,
    waitingBytes: 0,
  });
  const numbers = new Set(seen.map((exchange) => exchange.number));
  expect(numbers.size).toBe(10_000);
  expect(seen.filter(({ end }) => end === 'left').length).toBe(wire.stats().left);
  // Each sixth left in the middle of its answer; of what is no request the answer is whole all the same.
  expect(wire.stats().left).toBe(Math.ceil((10_000 - 1) / 6));
  expect(seen.filter(({ end, answer }) => end === 'complete' && answer?.stopReason === 'end_turn').length).toBe(
    10_000 - wire.stats().left,
  );
  expect(seen.filter(({ request }) => request.unreadable !== undefined).length).toBeGreaterThan(3_000);
}, 60_000);

test('when the thread dies the main thread listens on its port, passes everything on, and captures nothing', async () => {
  const { Worker } = workers;
  let thread: workers.Worker | undefined;
  workers.Worker = class extends Worker {
    constructor(entry: string | URL, options?: workers.WorkerOptions) {
      super(entry, options);
      const own: workers.Worker[] = [this];
      if (options?.name === 'spanprism-wire') [thread] = own;
    }
  };
  await using api = await messagesServer();
  const { wire, failures } = start();
  workers.Worker = Worker;
  const { url, seen } = route(wire, api.port);
  await ask({ url, body: bodyOf('hi') });
  await until(() => seen.length === 1);
  await thread?.terminate();
  // As the CLI does, whose first new attempt comes half a second later.
  await delay(500);
  expect(await ask({ url, body: bodyOf('hi again') })).toContain('message_stop');
  expect(seen).toHaveLength(1);
  expect(failures).toMatchObject([{ code: 'thread_died' }]);
  expect(wire.stats()).toMatchObject({ state: 'piping', calls: 2, captured: 1, lost: 1 });
  // A child that starts now goes its own way.
  expect(route(wire, api.port).url).toBe('undefined/v1/messages');
});

test('with nobody to read it everything still passes', async () => {
  await using api = await messagesServer();
  const { wire, reader } = start();
  const { url, seen } = route(wire, api.port);
  await ask({ url, body: bodyOf('hi') });
  await until(() => seen.length === 1);
  await reader.close();
  await delay(50);
  expect(await ask({ url, body: bodyOf('hi') })).toContain('message_stop');
  await until(() => wire.stats().lost > 0);
  expect(wire.stats()).toMatchObject({ calls: 2, captured: 1, lost: 1 });
});

test('a child that was let go of still gets through, and is no longer looked at', async () => {
  await using api = await messagesServer();
  const { wire } = start();
  const { url, seen, release } = route(wire, api.port);
  release();
  expect(await ask({ url, body: bodyOf('hi') })).toContain('message_stop');
  await until(() => wire.stats().lost > 0);
  expect(wire.stats()).toMatchObject({ routes: 0, refused: 0, calls: 1, captured: 0, lost: 1 });
  expect(seen).toEqual([]);
  expect(await ask({ url: url.replace(/[0-9a-f]{32}/, 'f'.repeat(32)), body: bodyOf('hi') })).toContain(
    'is not known here',
  );
});

test('what has passed can be read on the thread that asks', async () => {
  await using api = await messagesServer();
  const { wire } = start({ reader: readHere });
  const { url, seen } = route(wire, api.port);
  await ask({ url, body: bodyOf('hi') });
  await until(() => seen.length === 1);
  expect(seen).toMatchObject([{ requestId: 'req_1', answer: { stopReason: 'end_turn' } }]);
});

test('where its file is not there, nothing is asked to pass', async () => {
  const { wire, failures } = start({ entry: new URL('./missing-thread.js', import.meta.url) });
  await wire.ready();
  expect(route(wire, 1).url).toBe('undefined/v1/messages');
  expect(failures).toMatchObject([{ code: 'entry_missing' }]);
  expect(wire.stats()).toMatchObject({ state: 'failed' });
});
