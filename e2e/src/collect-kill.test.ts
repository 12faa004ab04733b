import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { answer, claudeBinary, openRecording, startCollector, when } from '@spanprism/testkit';
import { afterEach, describe, expect, test } from 'vitest';
import { type Collecting, endAll, runClaude, startCollect, temporaryFolder } from './collect-process.ts';
import { distinct, expectWhole, exportsTo, RULES, shape } from './collect-runs.ts';
import { bash, usage } from './replies.ts';

const { absent } = claudeBinary(import.meta.url);

afterEach(endAll);

describe.skipIf(absent !== undefined)('spanprism collect, killed', () => {
  test('loses nothing that it has acknowledged when it is killed in the middle of a turn', async () => {
    await using folder = await temporaryFolder();
    await using backend = await startCollector();
    const options = { folder: folder.path, args: ['--otlp-endpoint', backend.url, '--settle', '1'] };
    let collecting = await startCollect(options);
    const received = async (): Promise<number> => {
      const counts = ['traces', 'logs'].map((signal) =>
        collecting.metric(`spanprism_collect_requests_total{signal="${signal}",transport="http"}`),
      );
      return Math.min(...(await Promise.all(counts)));
    };
    const cost = await runClaude({
      prompt: 'begin',
      rules: [when.lastUserText(/begin/).reply(answer(bash('outer', 'sleep 4'), { usage: usage(300, 30) })), ...RULES],
      env: {
        ...exportsTo(collecting, 'http/protobuf'),
        ...{
          OTEL_TRACES_EXPORT_INTERVAL: '200',
          OTEL_LOGS_EXPORT_INTERVAL: '200',
          OTEL_METRIC_EXPORT_INTERVAL: '60000',
        },
      },
      during: async () => {
        await expect.poll(received, { timeout: 20_000, interval: 50 }).toBeGreaterThan(0);
        // The call that asked for the tool has been exported; while the tool runs there is nothing to tell.
        await delay(800);
        await collecting.kill();
        collecting = await startCollect({ ...options, like: collecting });
      },
    });
    expect(collecting.stderr()).toMatch(/\d+ requests of an earlier run were read again/);
    expect(await collecting.stop()).toBe(0);
    expectWhole(backend, cost);
  });

  test('delivers after a kill what its backend would not take before', async () => {
    await using folder = await temporaryFolder();
    await using backend = await startCollector();
    backend.behave({ kind: 'status', status: 503 });
    const options = { folder: folder.path, args: ['--otlp-endpoint', backend.url, '--settle', '1'] };
    const first = await startCollect(options);
    const cost = await runClaude({ prompt: 'begin', rules: RULES, env: exportsTo(first, 'grpc') });
    await backend.until(({ requests }) => requests.some(({ signal }) => signal === 'traces'));
    await first.kill();
    expect(backend.spans()).toEqual([]);
    backend.recover();
    const second = await startCollect(options);
    await backend.until((one) => one.metrics().length > 0);
    expect(await second.stop()).toBe(0);
    expectWhole(backend, cost);
    const third = await startCollect(options);
    expect(third.stderr()).not.toMatch(/read again/);
  });

  test('makes the same spans again of what it reads again, however often it is killed', async () => {
    await using folder = await temporaryFolder();
    const [once, often] = [await startCollector(), await startCollector()];
    const bodies = recordedBodies('foreground-subagent');
    const control = await startCollect({ folder: join(folder.path, 'control'), args: ['--otlp-endpoint', once.url] });
    for (const body of bodies) await post(control, body);
    await control.stop();
    const options = { folder: join(folder.path, 'killed'), args: ['--otlp-endpoint', often.url] };
    let killed = await startCollect(options);
    for (const body of bodies) {
      await post(killed, body);
      await killed.kill();
      killed = await startCollect(options);
    }
    await killed.stop();
    const spans = distinct(often.spans());
    expect(shape(spans)).toEqual(shape(once.spans()));
    expect(spans.length).toBeGreaterThan(4);
    await Promise.all([once.close(), often.close()]);
  });
});

describe('spanprism collect, killed again and again under load', () => {
  test('delivers every session that was acknowledged, whole', async () => {
    await using folder = await temporaryFolder();
    await using backend = await startCollector();
    const options = {
      folder: folder.path,
      args: ['--otlp-endpoint', backend.url, '--session-idle', '1', '--settle', '1'],
    };
    let collecting = await startCollect(options);
    const acknowledged: string[] = [];
    let isOver = false;
    /** Sends until it is taken, as an exporter does. */
    const deliver = async (body: Body): Promise<boolean> => {
      while (!isOver) {
        const status = await post(collecting, body).then(
          (response) => response.status,
          () => 0,
        );
        if (status === 200) return true;
        await delay(20);
      }
      return false;
    };
    const client = async (name: number): Promise<void> => {
      for (let run = 0; !isOver; run += 1) {
        const sessionId = `00000000-0000-4000-${String(name).padStart(4, '0')}-${String(run).padStart(12, '0')}`;
        const taken: boolean[] = [];
        for (const body of recordedBodies('bash-call', sessionId)) taken.push(await deliver(body));
        if (taken.every(Boolean)) acknowledged.push(sessionId);
        // Some hundred sessions say as much as some thousand.
        await delay(15);
      }
    };
    const clients = Array.from({ length: 4 }, (_, name) => client(name));
    for (let kills = 0; kills < 5; kills += 1) {
      await delay(200 + 150 * kills);
      await collecting.kill();
      collecting = await startCollect({ ...options, like: collecting });
    }
    isOver = true;
    await Promise.all(clients);
    expect(await collecting.stop()).toBe(0);
    const shapes = acknowledged.map((id) =>
      shape(distinct(backend.spans().filter(({ attributes }) => attributes['gen_ai.conversation.id'] === id))),
    );
    expect(shapes.length).toBeGreaterThan(10);
    expect(shapes[0]).toEqual([' chat', ' chat', ' execute_tool Bash', 'invoke_agent claude']);
    for (const one of shapes) expect(one).toEqual(shapes[0]);
  });
});

describe('spanprism collect, full', () => {
  test('answers 429 with a time when its spool is full, and takes more when its backend does', async () => {
    await using folder = await temporaryFolder();
    await using backend = await startCollector();
    backend.behave({ kind: 'status', status: 503 });
    const collecting = await startCollect({
      folder: folder.path,
      args: ['--otlp-endpoint', backend.url, '--spool-mb', '1'],
    });
    const body = foreignBody(100_000);
    const send = () => post(collecting, { path: '/v1/traces', body, type: 'application/json' });
    const statuses: number[] = [];
    let retryAfter = 0;
    for (let refused = false; !refused; refused = statuses.at(-1) === 429) {
      const response = await send();
      statuses.push(response.status);
      retryAfter = Number(response.headers.get('retry-after'));
    }
    expect(retryAfter).toBeGreaterThan(0);
    const taken = statuses.filter((status) => status === 200).length;
    expect(taken).toBeGreaterThan(5);
    backend.recover();
    await expect.poll(async () => (await send()).status, { timeout: 30_000, interval: 500 }).toBe(200);
    await collecting.stop();
    expect(backend.spans().length).toBe(taken + 1);
  });
});

interface Body {
  readonly path: string;
  readonly body: string;
  readonly type: string;
}

function post({ http }: Collecting, { path, body, type }: Body): Promise<Response> {
  return fetch(`${http}${path}`, { method: 'POST', body, headers: { 'content-type': type } });
}

/** What a recorded run has exported, in the order in which it arrived; as that of another session, if one is given. */
function recordedBodies(name: string, sessionId?: string): readonly Body[] {
  const { traces, logs, metrics } = openRecording(name).telemetry;
  return [...traces, ...logs, ...metrics]
    .toSorted((left, right) => left.atMs - right.atMs)
    .map(({ url, payload }) => ({
      path: url,
      body: inSession(JSON.stringify(payload), sessionId),
      type: 'application/json',
    }));
}

function inSession(body: string, sessionId: string | undefined): string {
  const recorded = /"session\.id","value":\{"stringValue":"([^"]+)"/.exec(body)?.[1];
  return sessionId === undefined || recorded === undefined ? body : body.replaceAll(recorded, sessionId);
}

function foreignBody(bytes: number): string {
  const span = {
    traceId: 'ab'.repeat(16),
    spanId: 'cd'.repeat(8),
    name: 'x'.repeat(bytes),
    startTimeUnixNano: '1',
    endTimeUnixNano: '2',
  };
  return JSON.stringify({ resourceSpans: [{ scopeSpans: [{ scope: { name: 'mine' }, spans: [span] }] }] });
}
