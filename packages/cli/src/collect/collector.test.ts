import { request as httpRequest } from 'node:http';
import { rename } from 'node:fs/promises';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { memorySink, type Sink } from '@spanprism/core';
import { openRecording, startCollector as startBackend } from '@spanprism/testkit';
import { afterEach, describe, expect, test } from 'vitest';
import { endStarted, JSON_TYPE, overGrpc, started, VALID } from './__fixtures__/started-collector.ts';

afterEach(endStarted);

const PROTOBUF = { 'content-type': 'application/x-protobuf' };
const FOREIGN = JSON.stringify({
  resourceSpans: [{ scopeSpans: [{ scope: { name: 'mine' }, spans: [{ name: 'a' }, { name: 'b' }] }] }],
});

describe('a request that cannot be taken', () => {
  const big = 'x'.repeat(2 * 1024 * 1024);
  const refused: readonly (readonly [number, string, string | Uint8Array, Record<string, string>, string])[] = [
    [400, 'malformed', '{', {}, '/v1/traces'],
    [400, 'malformed', '[]', {}, '/v1/logs'],
    [400, 'malformed', Buffer.from([0x0a, 0xff]), PROTOBUF, '/v1/metrics'],
    [400, 'bad_gzip', VALID, { 'content-encoding': 'gzip' }, '/v1/traces'],
    [401, 'unauthenticated', VALID, { authorization: 'Bearer wrong' }, '/v1/traces'],
    [401, 'unauthenticated', VALID, { authorization: 'Basic c2VjcmV0' }, '/v1/traces'],
    [404, 'unknown_path', VALID, {}, '/v1/profiles'],
    [413, 'too_large', big, {}, '/v1/traces'],
    [413, 'too_large', gzipSync(big), { 'content-encoding': 'gzip' }, '/v1/traces'],
    [415, 'wrong_content_type', VALID, { 'content-type': 'text/plain' }, '/v1/traces'],
    [415, 'wrong_content_encoding', VALID, { 'content-encoding': 'br' }, '/v1/traces'],
  ];

  test.each(refused)('is answered %i (%s), and changes nothing', async (status, reason, body, headers, path) => {
    const sink = memorySink();
    const { post, counted, collector } = await started({ args: { token: 'secret', 'max-request-mb': '1' }, sink });
    const response = await post(path, body, headers);
    expect(response.status).toBe(status);
    expect(await counted()).toEqual([`spanprism_collect_rejected_total{reason="${reason}"} 1`]);
    expect((await post('/v1/traces', VALID)).status).toBe(200);
    await collector.close(5_000);
    expect(sink.spans.length).toBeGreaterThan(0);
  });

  test.each([
    ['without a token', undefined, Buffer.alloc(0), 16],
    ['with a wrong one', 'Bearer wrong', Buffer.alloc(0), 16],
    ['without a token, of whatever size', undefined, Buffer.alloc(2 * 1024 * 1024), 16],
    ['that is malformed', 'Bearer secret', Buffer.from([0x0a, 0xff]), 3],
    ['that is too large', 'Bearer secret', Buffer.alloc(2 * 1024 * 1024), 8],
  ])('over gRPC, %s, has its code and changes nothing', async (_, authorization, body, code) => {
    const { collector, counted } = await started({ args: { token: 'secret', 'max-request-mb': '1' } });
    expect((await overGrpc(collector, body, authorization))?.code).toBe(code);
    const changes = (await counted()).filter((line) => !line.startsWith('spanprism_collect_rejected'));
    expect(changes).toEqual([]);
  });

  test('by another name of this machine than its own is not taken where no token keeps others out', async () => {
    const { collector, counted } = await started();
    const status = await new Promise((resolve, reject) => {
      const headers = { host: 'evil.example', 'content-type': JSON_TYPE };
      const sent = httpRequest(
        { port: collector.httpPort, path: '/v1/traces', method: 'POST', headers },
        (response) => {
          response.resume();
          resolve(response.statusCode);
        },
      );
      sent.once('error', reject);
      sent.end(VALID);
    });
    expect(status).toBe(421);
    expect(await counted()).toEqual(['spanprism_collect_rejected_total{reason="wrong_host"} 1']);
  });

  test('is answered 429 with a time, also over gRPC, while sinks are behind', async () => {
    const behind: Sink = { ...memorySink(), stats: () => ({ delivered: 0, queued: 1_000_000, dropped: {} }) };
    const { post, collector } = await started({ sink: behind });
    const response = await post('/v1/traces', VALID);
    expect([response.status, Number(response.headers.get('retry-after')) > 0]).toEqual([429, true]);
    const protobuf = Buffer.from(claudeSpan('0a0b'));
    const error = await overGrpc(collector, protobuf);
    expect(error?.code).toBe(8);
    expect(error?.metadata.get('grpc-status-details-bin').join('')).toContain(
      'type.googleapis.com/google.rpc.RetryInfo',
    );
  });
});

/** ResourceSpans with one span of Claude Code's scope, of a session. */
function claudeSpan(session: string): Uint8Array {
  const field = (tag: number, content: Uint8Array | string): Buffer => {
    const bytes = Buffer.from(content);
    return Buffer.concat([Buffer.from([tag, bytes.length]), bytes]);
  };
  const attribute = field(0x4a, Buffer.concat([field(0x0a, 'session.id'), field(0x12, field(0x0a, session))]));
  const scope = field(0x0a, field(0x0a, 'com.anthropic.claude_code'));
  return field(0x0a, field(0x12, Buffer.concat([scope, field(0x12, attribute)])));
}

describe('what is not of Claude Code', () => {
  test.each([
    ['application/json', Buffer.from(FOREIGN)],
    ['application/x-protobuf', Buffer.from([0x0a, 0x06, 0x12, 0x04, 0x12, 0x02, 0x2a, 0x00])],
  ])('goes on byte for byte as %s, with all metrics', async (type, body) => {
    await using backend = await startBackend();
    const { post, collector } = await started({ endpoint: backend.url });
    const compressed = { 'content-type': type, 'content-encoding': 'gzip' };
    for (const path of ['/v1/traces', '/v1/logs', '/v1/metrics']) {
      const sent =
        path === '/v1/traces'
          ? body
          : type === JSON_TYPE
            ? Buffer.from(emptyOf(path))
            : Buffer.from([0x0a, 0x02, 0x12, 0x00]);
      expect((await post(path, gzipSync(sent), compressed)).status).toBe(200);
    }
    await collector.close(5_000);
    const traces = backend.requests.filter(({ signal }) => signal === 'traces').map((one) => one.body);
    expect(traces).toEqual([body]);
    expect(new Set(backend.requests.map(({ signal }) => signal))).toEqual(new Set(['traces', 'logs', 'metrics']));
    expect(backend.requests.every(({ headers }) => headers['content-type'] === type)).toBe(true);
  });

  test('goes on without the records of Claude Code beside it, each body on its own', async () => {
    await using backend = await startBackend();
    const { post, collector } = await started({ endpoint: backend.url });
    const both = { resourceSpans: [...JSON.parse(VALID).resourceSpans, ...JSON.parse(FOREIGN).resourceSpans] };
    const statuses = await Promise.all(
      [both, both].map(async (body) => (await post('/v1/traces', JSON.stringify(body))).status),
    );
    expect(statuses).toEqual([200, 200]);
    await collector.close(5_000);
    expect(backend.requests.map(({ body }) => JSON.parse(body.toString()))).toEqual([
      JSON.parse(FOREIGN),
      JSON.parse(FOREIGN),
    ]);
  });

  test('and all metrics of Claude Code go on', async () => {
    await using backend = await startBackend();
    const [metrics] = openRecording('bash-call').telemetry.metrics.map(({ payload }) => JSON.stringify(payload));
    const { post, collector } = await started({ endpoint: backend.url });
    expect((await post('/v1/metrics', metrics ?? '')).status).toBe(200);
    await collector.close(5_000);
    expect(backend.requests.map(({ body }) => body.toString())).toEqual([metrics]);
  });

  test('is told to have nowhere to go, where that is so', async () => {
    const { post, counted } = await started();
    const response = await post('/v1/traces', FOREIGN);
    expect(await response.json()).toEqual({
      partialSuccess: { rejectedSpans: 2, errorMessage: expect.stringContaining('--otlp-endpoint') },
    });
    expect(await counted()).toContain('spanprism_collect_dropped_total{signal="traces",reason="no_endpoint"} 2');
  });
});

function emptyOf(path: string): string {
  return path === '/v1/logs' ? '{"resourceLogs":[{"scopeLogs":[{}]}]}' : '{"resourceMetrics":[{"scopeMetrics":[{}]}]}';
}

describe('a session', () => {
  test('that has been silent for long has ended, and what it told is gone from the disk', async () => {
    let now = Date.now();
    const sink = memorySink();
    const { post, counted } = await started({ sink, now: () => new Date(now) });
    await post('/v1/traces', VALID);
    expect((await counted()).join()).toMatch(/sessions_open 1,.*spool_bytes \d+/);
    now += 301_000;
    await expect
      .poll(async () => (await counted()).join(), { timeout: 10_000 })
      .not.toMatch(/sessions_open|spool_bytes \d{3}/);
    expect(sink.spans.filter(({ kind }) => kind === 'agent')).toHaveLength(1);
  });
});

describe('who watches over it', () => {
  test('is told of a disk that cannot be written, and senders are asked to come again', async () => {
    const { folder, url, post, counted } = await started();
    // The next segment cannot be made: its folder is gone.
    const lost = join(folder, 'elsewhere');
    await post('/v1/traces', VALID);
    await rename(join(folder, 'spool'), lost);
    const big = VALID.replace('"resourceSpans"', `"padding":"${'x'.repeat(17 * 1024 * 1024)}","resourceSpans"`);
    await post('/v1/traces', big);
    const response = await post('/v1/traces', VALID);
    expect([response.status, Number(response.headers.get('retry-after')) > 0]).toEqual([503, true]);
    const health = await fetch(`${url}/healthz`);
    expect([health.status, await health.text()]).toEqual([503, expect.stringContaining('the spool cannot be written')]);
    expect(await counted()).toContain('spanprism_collect_rejected_total{reason="disk"} 1');
    await rename(lost, join(folder, 'spool'));
    await expect.poll(async () => (await post('/v1/traces', VALID)).status).toBe(200);
    expect((await fetch(`${url}/healthz`)).status).toBe(200);
  });

  test('is told that it is there without a token, and how it is doing with one', async () => {
    const { url, collector } = await started({ args: { token: 'secret' } });
    for (const path of ['/healthz', '/readyz']) {
      const response = await fetch(url + path);
      expect([response.status, await response.text()]).toEqual([200, 'ok\n']);
    }
    expect((await fetch(`${url}/metrics`)).status).toBe(401);
    const text = await (await fetch(`${url}/metrics`, { headers: { authorization: 'bearer secret' } })).text();
    // Every series is announced with its type, and every line is one of the text format.
    for (const line of text.trimEnd().split('\n')) {
      expect(line).toMatch(/^(# (HELP|TYPE) \w+ .+|\w+(\{\w+="[^"]*"(,\w+="[^"]*")*\})? [-+.e\d]+)$/);
    }
    await collector.close(5_000);
    await expect(fetch(`${url}/healthz`)).rejects.toThrow('fetch failed');
  });
});
