import { subscribe, unsubscribe } from 'node:diagnostics_channel';
import { mkdtempSync, realpathSync, rmSync } from 'node:fs';
import type { ClientRequest } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { CapturedSpan, Sink, SpanId } from '@spanprism/core';
import { type Collector, type CollectorBehaviour, startCollector } from '@spanprism/testkit';
import { llm } from '@spanprism/testkit/samples';
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import { otlpSink, type OtlpSinkOptions } from './otlp-sink.ts';

const TICK_MS = 500;
const OUTAGE_MS = 60_000;
const MIB = 1024 * 1024;
/** What a sink holds in memory unless told otherwise. */
const QUEUE_BYTES = 32 * MIB;

let collector: Collector;
let said: string[];
let made: CapturedSpan[];

beforeEach(async () => {
  collector = await startCollector();
  said = [];
  made = [];
  subscribe(CREATED, watch);
  vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout', 'performance'] });
});

afterEach(async () => {
  vi.useRealTimers();
  unsubscribe(CREATED, watch);
  await collector.close();
});

function sinkTo(url: string, options: OtlpSinkOptions = {}): Sink {
  const diag = (level: string, message: string): void => void said.push(`${level}: ${message}`);
  return otlpSink({ endpoint: url, environment: {}, metrics: false, compression: 'none', diag, ...options });
}

/** Requests of this process that have not come to their end. */
const open = new Set<ClientRequest>();
const CREATED = 'http.client.request.created';
const watch = (message: unknown): void => {
  const { request } = message as { readonly request: ClientRequest };
  open.add(request);
  request.once('close', () => open.delete(request));
};

/** Sockets live in real time: lets them do what they are about, all but requests that nobody will answer. */
async function settle(): Promise<void> {
  const isHung = (): boolean => open.size > 0 && collector.requests.at(-1)?.behaviour.kind === 'hang';
  for (let idle = 0; idle < 5; idle += 1) {
    await new Promise((resolve) => setImmediate(resolve));
    if (open.size > 0 && !isHung()) idle = 0;
  }
}

/** Half a second of the program's life at a time, with what happens in it. */
async function live(ms: number, happens: () => void = () => undefined): Promise<void> {
  for (let passed = 0; passed < ms; passed += TICK_MS) {
    happens();
    await vi.advanceTimersByTimeAsync(TICK_MS);
    await settle();
  }
}

async function liveUntil(holds: () => boolean): Promise<void> {
  while (!holds()) await live(TICK_MS);
}

function tell(sink: Sink, spans: number, text = 'How is the weather?'): void {
  for (let index = 0; index < spans; index += 1) {
    const id = made.length + 1;
    const input = [{ role: 'user' as const, content: [{ type: 'text' as const, text }] }];
    const span = llm({ id, parent: id, ms: [id, id + 1], input });
    made.push(span);
    sink.spanEnd(span);
  }
}

const ids = (spans: readonly { readonly spanId: SpanId | string }[]): readonly string[] =>
  spans.map(({ spanId }) => spanId);

const BEHAVIOURS: Readonly<Record<string, CollectorBehaviour>> = {
  'closes every connection': { kind: 'refuse' },
  'answers 503': { kind: 'status', status: 503 },
  'answers 429 and wants to be left alone for a minute': {
    kind: 'status',
    status: 429,
    headers: { 'retry-after': '60' },
  },
  'never answers': { kind: 'hang' },
};

describe.each(['http/protobuf', 'http/json'] as const)('over %s', (protocol) => {
  test.each(Object.entries(BEHAVIOURS))(
    'a backend that for 60 s %s gets every span exactly once, in order',
    async (_, behaviour) => {
      const sink = sinkTo(collector.url, { protocol });
      await live(2000, () => tell(sink, 5));
      collector.behave(behaviour);
      await live(OUTAGE_MS, () => tell(sink, 5));
      expect(sink.stats?.().queued).toBe(600);
      collector.recover();
      await live(2000, () => tell(sink, 5));
      await liveUntil(() => sink.stats?.().queued === 0);
      expect(ids(collector.spans())).toEqual(ids(made));
      expect(made.length).toBe(640);
      expect(sink.stats?.()).toEqual({ delivered: 640, queued: 0, dropped: {} });
      await sink.close(0);
    },
  );
});

describe('a backend that is gone for 60 s and back at the same address', () => {
  async function outage(options: OtlpSinkOptions, happens: (sink: Sink) => void): Promise<Sink> {
    const { url, port } = collector;
    await collector.close();
    const sink = sinkTo(url, options);
    await live(OUTAGE_MS, () => happens(sink));
    collector = await startCollector({ port });
    await liveUntil(() => sink.stats?.().queued === 0);
    return sink;
  }

  test('gets every span exactly once', async () => {
    const sink = await outage({}, (sink) => tell(sink, 5));
    expect(ids(collector.spans())).toEqual(ids(made));
    expect(sink.stats?.()).toEqual({ delivered: 600, queued: 0, dropped: {} });
    expect(said.filter((line) => line.includes('cannot be reached')).length).toBe(1);
    await sink.close(0);
  });

  test('gets the newest of what memory does not hold; the oldest go first and are counted', async () => {
    const sink = await outage({}, (sink) => tell(sink, 5, 'x'.repeat(100_000)));
    const arrived = ids(collector.spans());
    expect(arrived).toEqual(ids(made).slice(-arrived.length));
    const lost = made.length - arrived.length;
    expect(sink.stats?.()).toEqual({ delivered: arrived.length, queued: 0, dropped: { queue_full: lost } });
    const bytes = collector.requests.reduce((all, { body }) => all + body.length, 0);
    expect([bytes <= QUEUE_BYTES, bytes > QUEUE_BYTES - MIB]).toEqual([true, true]);
    expect(said.some((line) => /^warn: .*queue is full, the oldest records go first/.test(line))).toBe(true);
    await expect(sink.close(0)).rejects.toThrow(`${lost} records not delivered`);
  });

  test('gets those too from a spool', async () => {
    const directory = realpathSync(mkdtempSync(join(tmpdir(), 'spanprism-outage-')));
    const sink = await outage({ spool: { directory } }, (sink) => tell(sink, 5, 'x'.repeat(100_000)));
    await liveUntil(() => collector.spans().length >= made.length);
    expect(ids(collector.spans()).toSorted()).toEqual(ids(made).toSorted());
    expect(sink.stats?.()).toEqual({ delivered: 600, queued: 0, dropped: {} });
    await sink.close(0);
    rmSync(directory, { recursive: true, force: true });
  });
});
