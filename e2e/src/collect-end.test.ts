import { spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { type Collector, startCollector } from '@spanprism/testkit';
import { afterEach, describe, expect, test } from 'vitest';
import { type Collecting, endAll, startCollect, temporaryFolder } from './collect-process.ts';

afterEach(endAll);

/** One span that is not of Claude Code, with a name of its own. */
function foreignBody(name: string, bytes = 0): string {
  const ids = { traceId: 'ab'.repeat(16), spanId: 'cd'.repeat(8) };
  const times = { startTimeUnixNano: '1', endTimeUnixNano: '2' };
  const attributes = [{ key: 'padding', value: { stringValue: 'x'.repeat(bytes) } }];
  return JSON.stringify({
    resourceSpans: [{ scopeSpans: [{ scope: { name: 'mine' }, spans: [{ ...ids, ...times, name, attributes }] }] }],
  });
}

function post({ http }: Collecting, body: string): Promise<Response> {
  return fetch(`${http}/v1/traces`, { method: 'POST', body, headers: { 'content-type': 'application/json' } });
}

/** Sends one after the other until nobody answers, and remembers what was acknowledged. */
async function client(collecting: Collecting, name: string, acknowledged: string[]): Promise<void> {
  for (let count = 0; ; count += 1) {
    const span = `${name}-${count}`;
    const status = await post(collecting, foreignBody(span)).then(
      (response) => response.status,
      () => 0,
    );
    if (status === 0) return;
    if (status === 200) acknowledged.push(span);
  }
}

const names = (backend: Collector): readonly string[] =>
  [...new Set(backend.spans().map(({ name }) => name))].toSorted();

describe('spanprism collect, told to end', () => {
  test('has delivered every request that it acknowledged, while 32 clients go on sending', async () => {
    await using folder = await temporaryFolder();
    await using backend = await startCollector();
    const collecting = await startCollect({ folder: folder.path, args: ['--otlp-endpoint', backend.url] });
    const acknowledged: string[] = [];
    const clients = Array.from({ length: 32 }, (_, index) => client(collecting, `client-${index}`, acknowledged));
    await expect.poll(() => acknowledged.length, { timeout: 20_000 }).toBeGreaterThan(500);
    expect(await collecting.stop()).toBe(0);
    await Promise.all(clients);
    expect(names(backend)).toEqual(acknowledged.toSorted());
  });

  test('with a backend that takes nothing ends all the same, at once when it is told twice, and the next start delivers', async () => {
    await using folder = await temporaryFolder();
    await using backend = await startCollector();
    backend.behave({ kind: 'status', status: 503 });
    const options = { folder: folder.path, args: ['--otlp-endpoint', backend.url] };
    const first = await startCollect(options);
    expect((await post(first, foreignBody('one'))).status).toBe(200);
    expect(await first.stop()).toBe(0);

    const second = await startCollect(options);
    expect((await post(second, foreignBody('two'))).status).toBe(200);
    second.child.kill('SIGHUP');
    await expect.poll(second.stderr).toContain('SIGHUP: delivering what is known');
    second.child.kill('SIGTERM');
    expect(await once(second.child, 'close')).toEqual([null, 'SIGTERM']);

    expect(names(backend)).toEqual([]);
    backend.recover();
    const third = await startCollect(options);
    expect(third.stderr()).toContain('2 requests of an earlier run were read again');
    expect(await third.stop()).toBe(0);
    expect(names(backend)).toEqual(['one', 'two']);
  }, 60_000);
});

/** Has a thread of the process throw, once the file is there. */
const DYING = `
const { isMainThread } = require('node:worker_threads');
const { existsSync } = require('node:fs');
if (!isMainThread) setInterval(() => { if (existsSync(process.env.DIE)) throw new Error('out of luck'); }, 20);
`;

describe('spanprism collect, whose receiving thread has died', () => {
  test('says so and ends, with everything that it acknowledged delivered', async () => {
    await using folder = await temporaryFolder();
    await using backend = await startCollector();
    const preload = join(folder.path, 'dying.cjs');
    const die = join(folder.path, 'die');
    await writeFile(preload, DYING);
    const collecting = await startCollect({
      folder: folder.path,
      args: ['--otlp-endpoint', backend.url],
      env: { NODE_OPTIONS: `--require ${preload}`, DIE: die },
    });
    expect((await post(collecting, foreignBody('one'))).status).toBe(200);
    await writeFile(die, '');
    expect(await once(collecting.child, 'close')).toEqual([1, null]);
    expect(collecting.stderr()).toContain('nothing can be received any more (out of luck): delivering what is known');
    expect(names(backend)).toEqual(['one']);
  });
});

/** The largest file that a process may write, as a disk without more room. */
function limitFiles({ child }: Collecting, bytes: string): number | null {
  return spawnSync('prlimit', ['--pid', String(child.pid), `--fsize=${bytes}:unlimited`]).status;
}

describe('spanprism collect, without room on its disk', () => {
  test('acknowledges nothing and says when to come again, until there is room', async (context) => {
    await using folder = await temporaryFolder();
    await using backend = await startCollector();
    const collecting = await startCollect({ folder: folder.path, args: ['--otlp-endpoint', backend.url] });
    if (limitFiles(collecting, '500000') !== 0) return context.skip('prlimit is not here');
    const acknowledged: string[] = [];
    const send = async (): Promise<Response> => {
      const name = `span-${sent++}`;
      const response = await post(collecting, foreignBody(name, 90_000));
      if (response.status === 200) acknowledged.push(name);
      return response;
    };
    let sent = 0;
    let answer = await send();
    while (answer.status === 200 && sent < 50) answer = await send();
    expect([answer.status, Number(answer.headers.get('retry-after')) > 0]).toEqual([503, true]);
    expect([(await send()).status, (await fetch(`${collecting.http}/healthz`)).status]).toEqual([503, 503]);
    expect(limitFiles(collecting, 'unlimited')).toBe(0);
    expect([(await send()).status, (await fetch(`${collecting.http}/healthz`)).status]).toEqual([200, 200]);
    expect(await collecting.stop()).toBe(0);
    expect(names(backend)).toEqual(acknowledged.toSorted());
    expect(collecting.stderr().match(/the spool cannot be written/g)).toHaveLength(1);
  });
});
