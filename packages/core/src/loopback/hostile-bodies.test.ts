import { request } from 'node:http';
import { gzipSync } from 'node:zlib';
import { afterAll, expect, test } from 'vitest';
import { type Loopback, startLoopback } from './start-loopback.ts';
import { REJECTIONS } from './thread-protocol.ts';

const MIB = 1024 * 1024;
const PROTOBUF = 'application/x-protobuf';
const JSON_TYPE = 'application/json';

const opened: Loopback[] = [];

afterAll(() => Promise.all(opened.map((loopback) => loopback.close())));

function start() {
  const loopback = startLoopback({ waitMs: 10_000 });
  opened.push(loopback);
  const route = loopback.register({ batch: () => undefined });
  const rejected = (): Record<string, number> =>
    Object.fromEntries(Object.entries(loopback.stats().rejected).filter(([, count]) => count > 0));
  return { loopback, url: route.endpoint('traces') ?? '', rejected };
}

interface Sending {
  readonly headers: Readonly<Record<string, string>>;
  readonly chunks: readonly Uint8Array[];
}

/** The status; a sender that is refused before it has sent all may be cut off when it has read why. */
function send(url: string, { headers, chunks }: Sending): Promise<number> {
  return new Promise((resolve, reject) => {
    const outgoing = request(url, { method: 'POST', headers }, (response) => {
      response.resume();
      resolve(response.statusCode ?? 0);
    });
    outgoing.on('error', reject);
    for (const chunk of chunks) outgoing.write(chunk);
    outgoing.end();
  });
}

const zeros = (mib: number): Uint8Array[] => Array.from({ length: mib }, () => new Uint8Array(MIB));

test.each<[string, Sending, string]>([
  [
    '64 MB that say so',
    { headers: { 'content-type': PROTOBUF, 'content-length': String(64 * MIB) }, chunks: zeros(64) },
    'too_large',
  ],
  ['64 MB that do not say so', { headers: { 'content-type': JSON_TYPE }, chunks: zeros(64) }, 'too_large'],
  [
    'gzip that unpacks to 200 MB',
    {
      headers: { 'content-type': PROTOBUF, 'content-encoding': 'gzip' },
      chunks: [gzipSync(Buffer.alloc(200 * MIB), { level: 1 })],
    },
    'too_large',
  ],
  [
    'gzip that is cut off',
    {
      headers: { 'content-type': JSON_TYPE, 'content-encoding': 'gzip' },
      chunks: [gzipSync('{"resourceSpans":[]}').subarray(0, 20)],
    },
    'bad_gzip',
  ],
  ['a form', { headers: { 'content-type': 'multipart/form-data' }, chunks: [Buffer.from('{}')] }, 'wrong_content_type'],
  ['no content type at all', { headers: {}, chunks: [Buffer.from('{}')] }, 'wrong_content_type'],
  ['half a message', { headers: { 'content-type': PROTOBUF }, chunks: [new Uint8Array([10, 9, 18])] }, 'malformed'],
  [
    'UTF-16',
    { headers: { 'content-type': JSON_TYPE }, chunks: [Buffer.from('\ufeff{"resourceSpans":[]}', 'utf16le')] },
    'malformed',
  ],
])('%s: refused, counted, and the next export is taken', { timeout: 30_000 }, async (_, sending, reason) => {
  const { loopback, url, rejected } = start();
  expect(await send(url, sending)).toBe(REJECTIONS[reason as keyof typeof REJECTIONS].status);
  expect(rejected()).toEqual({ [reason]: 1 });
  const sound = { headers: { 'content-type': JSON_TYPE }, chunks: [Buffer.from('{"resourceSpans":[]}')] };
  expect(await send(url, sound)).toBe(200);
  expect(loopback.stats()).toMatchObject({ state: 'listening' });
});

test('each of 2,000 requests that nobody would send is answered, and counted unless it was taken', async () => {
  const { loopback, url, rejected } = start();
  const types = [PROTOBUF, JSON_TYPE, 'text/plain', 'application/json; charset=utf-16', ''];
  const encodings = ['', 'gzip', 'br', 'identity'];
  const packed = gzipSync('{"resourceSpans":[{"scopeSpans":[{"spans":[{}]}]}]}');
  const bodies = [Buffer.from('{'), Buffer.from('null'), packed, packed.subarray(3), Buffer.from([10, 255, 255, 255])];
  const paths = ['', '/', '?x=1', '/../logs'];
  const answers: number[] = [];
  for (let round = 0; round < 2_000; round += 100) {
    const hundred = Array.from({ length: 100 }, (_, index) => {
      const which = <T>(list: readonly T[], step: number): T => list[Math.floor((round + index) / step) % list.length]!;
      const headers = { 'content-type': which(types, 1), 'content-encoding': which(encodings, 5) };
      return send(url + which(paths, 100), { headers, chunks: [which(bodies, 20)] });
    });
    answers.push(...(await Promise.all(hundred)));
  }
  const known = new Set([200, ...Object.values(REJECTIONS).map(({ status }) => status)]);
  expect(answers.filter((status) => !known.has(status))).toEqual([]);
  const refused = answers.filter((status) => status !== 200).length;
  expect(Object.values(rejected()).reduce((sum, count) => sum + count, 0)).toBe(refused);
  expect(rejected()).not.toHaveProperty('internal');
  loopback.drainSync();
  const { traces, logs } = loopback.stats().received;
  expect(traces + logs).toBe(answers.length - refused);
  expect(traces).toBeGreaterThan(0);
});
