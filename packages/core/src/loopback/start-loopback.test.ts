import { execFile, execFileSync, spawnSync } from 'node:child_process';
import { connect } from 'node:net';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { afterEach, describe, expect, test } from 'vitest';
import type { OtlpRequest } from '../otlp/records.ts';
import { type Loopback, type LoopbackFailure, type LoopbackOptions, startLoopback } from './start-loopback.ts';

const open: Loopback[] = [];

afterEach(async () => {
  await Promise.all(open.splice(0).map((loopback) => loopback.close()));
});

function start(options: LoopbackOptions = {}): Loopback {
  // The bound is not what these tests are about, and this machine may be busy.
  const loopback = startLoopback({ waitMs: 10_000, ...options });
  open.push(loopback);
  return loopback;
}

/** A span named by its bytes, as an ExportTraceServiceRequest in protobuf: resource_spans(1) { scope_spans(2) { spans(2) { name(5) } } }. */
function spanNamed(name: string | Uint8Array): Uint8Array {
  const field = (tag: number, content: Uint8Array) => Buffer.concat([Buffer.from([tag, content.length]), content]);
  return field(0x0a, field(0x12, field(0x12, field(0x2a, Buffer.from(name)))));
}

function namesIn(request: OtlpRequest): string[] {
  return request.signal === 'traces' ? request.groups.flatMap((group) => group.records.map((span) => span.name)) : [];
}

function post(url: string | undefined, body: Uint8Array | string): Promise<number> {
  const headers = { 'content-type': typeof body === 'string' ? 'application/json' : 'application/x-protobuf' };
  return fetch(url ?? '', {
    method: 'POST',
    headers,
    body: typeof body === 'string' ? body : new Uint8Array(body),
  }).then((response) => response.status);
}

/** The same from another process, so that this thread may be blocked meanwhile. */
const posterArguments = (url: string, body: Uint8Array): string[] => [
  '-e',
  `fetch(${JSON.stringify(url)}, { method: 'POST', headers: { 'content-type': 'application/x-protobuf' }, body: Buffer.from('${Buffer.from(body).toString('hex')}', 'hex') }).then((r) => console.log(r.status))`,
];

function isRefused(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect(port, '127.0.0.1', () => {
      socket.destroy();
      resolve(false);
    }).once('error', () => resolve(true));
  });
}

describe('starting', () => {
  test('the port is known in the tick of construction', () => {
    const loopback = start();
    expect(loopback.port()).toBeGreaterThan(0);
    expect(loopback.stats().state).toBe('listening');
  });

  test('after ready() nothing has to be waited for', async () => {
    const loopback = start({ waitMs: 0 });
    await loopback.ready();
    expect(loopback.port()).toBeGreaterThan(0);
  });

  test('port() does not wait longer than it may', () => {
    expect(start({ waitMs: 0 }).port()).toBeUndefined();
  });

  test('only 127.0.0.1 is listened on', async () => {
    const port = start().port() ?? 0;
    const reached = await new Promise((resolve) => {
      const socket = connect(port, '127.0.0.2', () => {
        socket.destroy();
        resolve(true);
      }).once('error', () => resolve(false));
    });
    expect(reached).toBe(false);
  });

  test('a missing file is a failure value, known at once', async () => {
    const told: LoopbackFailure[] = [];
    const loopback = start({
      entry: new URL('./not-there.js', import.meta.url),
      onFailure: (failure) => void told.push(failure),
    });
    expect(loopback.stats()).toMatchObject({ state: 'failed', failure: { code: 'entry_missing' } });
    expect(told).toHaveLength(1);
    expect(loopback.port()).toBeUndefined();
    expect(loopback.register({ batch: () => undefined }).endpoint('traces')).toBeUndefined();
    await loopback.ready();
    await loopback.close();
  });

  test('an entry that does not load is a failure value, never an uncaught exception', async () => {
    const told: LoopbackFailure[] = [];
    const entry = new URL('data:text/javascript,import "not-a-package"');
    const loopback = start({ entry, waitMs: 1, onFailure: (failure) => void told.push(failure) });
    expect(loopback.port()).toBeUndefined();
    await loopback.ready();
    expect(told.map(({ code }) => code)).toEqual(['thread_died']);
    expect(loopback.port()).toBeUndefined();
    expect(loopback.stats().state).toBe('failed');
  });

  test('a runtime that refuses threads is a failure value', () => {
    const program = `import { startLoopback } from ${JSON.stringify(new URL('./start-loopback.ts', import.meta.url).href)};
      const loopback = startLoopback(); console.log(loopback.stats().failure?.code, loopback.port());`;
    const flags = ['--permission', '--allow-fs-read=*', '--input-type=module', '-e', program];
    expect(spawnSync(process.execPath, flags, { encoding: 'utf8' }).stdout).toBe('thread_refused undefined\n');
  });
});

describe('receiving', () => {
  test('a batch reaches the client it was addressed to, decoded', async () => {
    const loopback = start();
    const got: Record<string, string[]> = { one: [], two: [] };
    const one = loopback.register({ batch: (request) => got['one']?.push(...namesIn(request)) });
    const two = loopback.register({ batch: (request) => got['two']?.push(...namesIn(request)) });
    const json = JSON.stringify({
      resourceSpans: [
        {
          scopeSpans: [
            { spans: [{ traceId: '0af7651916cd43dd8448eb211c80319c', spanId: 'b7ad6b7169203331', name: 'c' }] },
          ],
        },
      ],
    });
    const answers = await Promise.all([
      post(one.endpoint('traces'), spanNamed('a')),
      post(two.endpoint('traces'), spanNamed('b')),
      post(two.endpoint('traces'), json),
    ]);
    expect(answers).toEqual([200, 200, 200]);
    loopback.drainSync();
    expect([got['one'], got['two']?.toSorted()]).toEqual([['a'], ['b', 'c']]);
    expect(one.received).toEqual({ traces: 1, logs: 0, metrics: 0 });
    expect(two.received).toEqual({ traces: 2, logs: 0, metrics: 0 });
    expect(loopback.stats()).toMatchObject({ received: { traces: 3 }, backlogBytes: 0, late: 0 });
  });

  test('a token is admitted as soon as register() has returned', async () => {
    const loopback = start();
    loopback.port();
    const statuses = await Promise.all(
      Array.from({ length: 50 }, () =>
        post(loopback.register({ batch: () => undefined }).endpoint('logs'), new Uint8Array()),
      ),
    );
    expect(new Set(statuses)).toEqual(new Set([200]));
  });

  test('truncated protobuf gets 400 and is counted', async () => {
    const loopback = start();
    const route = loopback.register({ batch: () => undefined });
    const whole = spanNamed('whole');
    const statuses = await Promise.all(
      Array.from({ length: whole.length - 1 }, (_, cut) => post(route.endpoint('traces'), whole.subarray(0, cut + 1))),
    );
    expect(new Set(statuses)).toEqual(new Set([400]));
    expect(loopback.stats().rejected.malformed).toBe(whole.length - 1);
  });

  test('invalid UTF-8 and JSON that is none harm nobody', async () => {
    const loopback = start();
    const names: string[] = [];
    const route = loopback.register({ batch: (request) => void names.push(...namesIn(request)) });
    const inName = await post(route.endpoint('traces'), spanNamed(new Uint8Array([0xff, 0xfe, 0x61])));
    expect([200, 400]).toContain(inName);
    expect(await post(route.endpoint('traces'), '{"resourceSpans":')).toBe(400);
    expect(await post(route.endpoint('traces'), spanNamed('after'))).toBe(200);
    loopback.drainSync();
    expect(names.at(-1)).toBe('after');
  });

  test('what a callback throws stays here and is told', async () => {
    const errors: unknown[] = [];
    const loopback = start({ onError: (error) => void errors.push(error) });
    const boom = new Error('boom');
    const route = loopback.register({
      batch: () => {
        throw boom;
      },
    });
    await post(route.endpoint('logs'), new Uint8Array());
    await expect.poll(() => errors).toEqual([boom]);
  });

  test('nothing is taken for a route that was released', async () => {
    const loopback = start();
    const batches: OtlpRequest[] = [];
    const route = loopback.register({ batch: (request) => void batches.push(request) });
    const url = route.endpoint('traces');
    route.release();
    expect(await post(url, spanNamed('late'))).toBe(401);
    loopback.drainSync();
    expect(batches).toEqual([]);
    expect(loopback.stats()).toMatchObject({ routes: 0, rejected: { unknown_token: 1 } });
  });

  test('the thread answers while the main thread is blocked, and drainSync hands the batch out in the same tick', () => {
    const loopback = start();
    const names: string[] = [];
    const route = loopback.register({ batch: (request) => void names.push(...namesIn(request)) });
    const answer = execFileSync(
      process.execPath,
      posterArguments(route.endpoint('traces') ?? '', spanNamed('blocked')),
      { encoding: 'utf8' },
    );
    expect(answer).toBe('200\n');
    expect(names).toEqual([]);
    expect(loopback.stats().backlogBytes).toBe(1024);
    loopback.drainSync();
    expect(names).toEqual(['blocked']);
    expect(loopback.stats().backlogBytes).toBe(0);
  });

  test('the end of the process behind a route is told after its last batch', async () => {
    const loopback = start();
    const told: string[] = [];
    const route = loopback.register({
      batch: (request) => void told.push(...namesIn(request)),
      childGone: () => void told.push('gone'),
    });
    await promisify(execFile)(
      process.execPath,
      posterArguments(route.endpoint('traces') ?? '', spanNamed('last words')),
    );
    await expect.poll(() => told).toEqual(['last words', 'gone']);
  });
});

describe('ending', () => {
  test('close() frees the port, twice is as good as once', async () => {
    const loopback = start();
    const port = loopback.port() ?? 0;
    expect(await isRefused(port)).toBe(false);
    await Promise.all([loopback.close(), loopback.close()]);
    expect(await isRefused(port)).toBe(true);
    expect(loopback.port()).toBeUndefined();
    expect(loopback.stats()).toMatchObject({ state: 'closed' });
  });

  test('close() hands out what was decoded before', async () => {
    const loopback = start();
    const names: string[] = [];
    const route = loopback.register({ batch: (request) => void names.push(...namesIn(request)) });
    execFileSync(process.execPath, posterArguments(route.endpoint('traces') ?? '', spanNamed('before')));
    await loopback.close();
    expect(names).toEqual(['before']);
  });

  test('close() in the tick of construction leaves no thread behind', async () => {
    const loopback = start();
    await loopback.close();
    expect(loopback.stats().failure).toBeUndefined();
  });

  /** Runs a program that has `loopback` and collects names in `names`; gives its output. */
  function program(body: string): string {
    const module = fileURLToPath(new URL('./start-loopback.ts', import.meta.url));
    const text = `import { execFileSync } from 'node:child_process'; import { startLoopback } from ${JSON.stringify(module)};
      const names = []; const loopback = startLoopback({ waitMs: 10_000 });
      const route = loopback.register({ batch: (r) => names.push(...r.groups.flatMap((g) => g.records.map((s) => s.name))) });
      const post = () => execFileSync(process.execPath, ['-e', \`fetch('\${route.endpoint('traces')}', { method: 'POST', headers: { 'content-type': 'application/x-protobuf' }, body: Buffer.from('${Buffer.from(spanNamed('x')).toString('hex')}', 'hex') })\`]);
      ${body}`;
    return spawnSync(process.execPath, ['--input-type=module', '-e', text], { encoding: 'utf8', timeout: 30_000 })
      .stdout;
  }

  test('an open loopback does not keep the process alive', () => {
    expect(program(`loopback.port(); process.on('exit', (code) => console.log('exit', code));`)).toBe('exit 0\n');
  });

  test('a program that only awaits ready() gets there', () => {
    expect(program(`await loopback.ready(); console.log(loopback.port() > 0);`)).toBe('true\n');
  });

  test.each([
    ['process.exit()', 'process.exit(0);'],
    ['an uncaught throw', `throw new Error('boom');`],
  ])('what the thread had decoded is there at %s', (_name, end) => {
    expect(
      program(`process.on('exit', () => { loopback.drainSync(); console.log(names.join()); }); post(); ${end}`),
    ).toBe('x\n');
  });
});
