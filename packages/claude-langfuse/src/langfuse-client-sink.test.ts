import { ConfigurationError, type Sink } from '@spanprism/core';
import { type Collector } from '@spanprism/testkit';
import { agent, llm, SAMPLE_TRACES, spanId, tool } from '@spanprism/testkit/samples';
import { Langfuse } from 'langfuse';
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import {
  clientBaseUrl,
  clientBatches,
  ingested,
  PUBLIC_KEY,
  priceOf,
  SECRET_KEY,
  startFakeLangfuse,
  tokensOf,
} from './__fixtures__/fake-langfuse.ts';
import { langfuseClientSink } from './langfuse-client-sink.ts';
import { langfuseAttributes } from './trace-fields.ts';

const DEADLINE_MS = 5000;

let langfuse: Collector;
let said: string[];

beforeEach(async () => {
  langfuse = await startFakeLangfuse();
  said = [];
});

afterEach(() => langfuse.close());

type ClientOptions = ConstructorParameters<typeof Langfuse>[0];

function started(options: ClientOptions = {}): { readonly client: Langfuse; readonly sink: Sink } {
  const baseUrl = clientBaseUrl(langfuse);
  const client = new Langfuse({
    publicKey: PUBLIC_KEY,
    secretKey: SECRET_KEY,
    baseUrl,
    fetchRetryCount: 0,
    ...options,
  });
  const diag = (level: string, message: string): void => void said.push(`${level}: ${message}`);
  return { client, sink: langfuseClientSink({ client, diag }) };
}

const arrived = () => ingested(clientBatches(langfuse));

describe('a run through a classic client', () => {
  test('is a trace with observations under our ids, counted by the same formula', async () => {
    const { sink } = started();
    for (const span of SAMPLE_TRACES['text-and-tool'] ?? []) sink.spanEnd(span);
    await sink.close(DEADLINE_MS);
    const { traces, observations } = arrived();
    // The client keeps no order.
    const ordered = observations.toSorted((left, right) => left.id.localeCompare(right.id));
    expect(traces).toMatchObject([
      {
        name: 'weather-bot',
        userId: 'u-17',
        sessionId: '7d3c1f0e-5a51-4b8e-9f43-0c2f6c1d9a10',
        input: [{ role: 'user' }],
      },
    ]);
    expect(ordered.map(({ id, type, parentId }) => [id, type, parentId])).toEqual([
      [spanId(1), 'SPAN', undefined],
      [spanId(2), 'GENERATION', spanId(1)],
      [spanId(3), 'SPAN', spanId(1)],
      [spanId(4), 'GENERATION', spanId(1)],
    ]);
    const call = ordered[1];
    expect(call && [tokensOf(call, 'input'), tokensOf(call, 'output'), priceOf(call)]).toEqual([
      130_213, 210, 0.046_549_75,
    ]);
    expect(call).toMatchObject({
      completionStartTime: '2026-11-21T09:00:01.170500000Z',
      modelParameters: { stream: true },
    });
    expect(sink.stats?.()).toEqual({ delivered: 4, queued: 0, dropped: {} });
  });

  test('has the fields of its trace, and links its generations to a prompt', async () => {
    const attributes = langfuseAttributes({
      sessionId: 'chat-7',
      tags: ['a'],
      traceName: 'support',
      version: '1.2',
      public: true,
      metadata: { plan: 'pro' },
      prompt: { name: 'answer', version: 4 },
    });
    const { sink } = started({ environment: 'staging', release: 'v1' });
    sink.spanEnd(llm({ id: 2, parent: 1, ms: [0, 1], attributes }));
    sink.spanEnd(agent({ id: 1, ms: [0, 9], attributes }));
    await sink.close(DEADLINE_MS);
    const fields = { sessionId: 'chat-7', tags: ['a'], traceName: 'support', isPublic: true, release: 'v1' };
    for (const one of arrived().observations)
      expect(one).toMatchObject({ ...fields, version: '1.2', environment: 'staging' });
    const [turn, call] = arrived().observations.toSorted((left, right) => left.id.localeCompare(right.id));
    expect(call).toMatchObject({ promptName: 'answer', promptVersion: 4 });
    expect(turn).toMatchObject({ promptName: undefined, metadata: { plan: 'pro' } });
  });

  test('is seen from its beginning, below nothing of another process', async () => {
    const { client, sink } = started();
    const root = { id: 1, parent: 9, parentIsRemote: true, ms: [0, 9] } as const;
    sink.spanStart?.(agent(root));
    await client.flushAsync();
    expect(arrived().traces).toMatchObject([{ name: 'claude' }]);
    sink.spanEnd(agent(root));
    await sink.close(DEADLINE_MS);
    expect(arrived().observations).toMatchObject([{ parentId: undefined }]);
  });

  test("goes through the client's mask", async () => {
    const { sink } = started({ mask: () => 'masked' });
    sink.spanEnd(tool({ id: 3, ms: [0, 1], input: { command: 'ls' }, output: 'x' }));
    await sink.close(DEADLINE_MS);
    expect(arrived().observations).toMatchObject([{ input: 'masked', output: 'masked' }]);
  });

  test('leaves the client to the program', async () => {
    const { client, sink } = started();
    await sink.close(DEADLINE_MS);
    client.span({ name: 'mine', traceId: 't', endTime: new Date() });
    await client.flushAsync();
    expect(arrived().observations).toMatchObject([{ name: 'mine' }]);
  });
});

describe('what the client does not deliver', () => {
  // The client itself writes every failure to the console.
  beforeEach(() => void vi.spyOn(console, 'error').mockImplementation(() => undefined));
  afterEach(() => void vi.restoreAllMocks());

  test('because the keys are wrong: one line, a count, and a flush that rejects once', async () => {
    const { sink } = started({ secretKey: 'sk-lf-33333333' });
    sink.spanEnd(agent({ id: 1, ms: [0, 9] }));
    await expect(sink.flush(DEADLINE_MS)).rejects.toThrow('1 observations were not delivered');
    await sink.flush(DEADLINE_MS);
    expect(said).toEqual([
      'warn: langfuse-client: 1 observations were not delivered: HTTP 401. Check the keys of the client: of one project, in the region of its baseUrl.',
    ]);
    expect(sink.stats?.()).toEqual({ delivered: 0, queued: 0, dropped: { http_401: 1 } });
  });

  test('batch after batch: the first says it, and all are counted', async () => {
    const { sink } = started({ secretKey: 'sk-lf-33333333', flushAt: 2 });
    for (let id = 1; id <= 9; id++) sink.spanEnd(tool({ id, ms: [0, 1] }));
    await expect(sink.flush(DEADLINE_MS)).rejects.toThrow('9 observations were not delivered');
    expect(said).toHaveLength(1);
    expect(sink.stats?.()).toEqual({ delivered: 0, queued: 0, dropped: { http_401: 9 } });
  });

  test('because nothing listens: one line', async () => {
    const { sink } = started({ baseUrl: 'http://127.0.0.1:1' });
    sink.spanEnd(agent({ id: 1, ms: [0, 9] }));
    await expect(sink.close(DEADLINE_MS)).rejects.toThrow('1 observations were not delivered');
    expect(said).toEqual([
      'warn: langfuse-client: 1 observations were not delivered: no answer. Is its baseUrl right, and Langfuse there?',
    ]);
  });

  test('because it samples, or is switched off, is counted and no failure', async () => {
    const { sink } = started({ sampleRate: 0.000_001 });
    const off = started({ enabled: false });
    for (const one of [sink, off.sink]) {
      one.spanEnd(agent({ id: 1, ms: [0, 9] }));
      await one.close(DEADLINE_MS);
      expect(one.stats?.()).toEqual({ delivered: 0, queued: 0, dropped: { not_taken_by_client: 1 } });
    }
    expect(said).toEqual([]);
  });

  test('a flush sends in further batches what the client put back because its batch was too large', async () => {
    // The client tells the console.
    for (const method of ['debug', 'log'] as const) vi.spyOn(console, method).mockImplementation(() => undefined);
    const { sink } = started();
    for (let id = 1; id <= 5; id++) sink.spanEnd(tool({ id, parent: 9, ms: [0, 1], input: 'x'.repeat(900_000) }));
    await sink.flush(DEADLINE_MS);
    expect(arrived().observations).toHaveLength(5);
    expect(langfuse.requests.length).toBeGreaterThan(1);
  });

  test('two flushes at once both end when everything has arrived', async () => {
    const { sink } = started({ flushAt: 2 });
    for (let id = 1; id <= 9; id++) sink.spanEnd(tool({ id, ms: [0, 1] }));
    await Promise.all([sink.flush(DEADLINE_MS), sink.flush(DEADLINE_MS)]);
    expect(sink.stats?.()).toEqual({ delivered: 9, queued: 0, dropped: {} });
    expect(arrived().observations).toHaveLength(9);
  });
});

test.each([undefined, {}, { api: {}, score: {} }])('what is no classic client is refused: %j', (client) => {
  const make = (): Sink => langfuseClientSink({ client: client as Langfuse });
  expect(make).toThrow(ConfigurationError);
  expect(make).toThrow(/the option client.*langfuse 3\.x/);
});
