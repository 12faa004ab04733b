import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { type Collector, openRecording, startCollector } from '@spanprism/testkit';
import { expect } from 'vitest';
import { type Collecting, startCollect } from '../src/collect-process.ts';
import { distinct, shape } from '../src/collect-runs.ts';
import { freePorts, type Server, startServer } from './server.ts';

const SOURCE = ['--conditions=@spanprism/source', join(import.meta.dirname, '../../packages/cli/src/main.ts')];

/** One `spanprism collect` of several, and where it sends. */
export interface Instance {
  readonly collecting: Collecting;
  readonly backend: Collector;
}

/** Keeps what it has below `folder`. */
export async function startInstance(folder: string, args: readonly string[] = []): Promise<Instance> {
  const backend = await startCollector();
  const words = ['--otlp-endpoint', backend.url, '--settle', '1', ...args];
  return { collecting: await startCollect({ folder, args: words, program: SOURCE }), backend };
}

export interface Balancer {
  readonly http: string;
  readonly grpc: string;
  readonly server: Server;
}

export interface BalancerOptions {
  readonly folder: string;
  /** The folder of the built Collector. */
  readonly build: string;
  /** How it finds the instances. */
  readonly resolver: object;
  /** What its name stands behind: a program that prepares a place for it. */
  readonly before?: readonly string[];
}

/** The Collector in front, as docs/scale-out.md has it. */
export async function startBalancer({ folder, build, resolver, before = [] }: BalancerOptions): Promise<Balancer> {
  const [http = 0, grpc = 0] = await freePorts(2);
  const config = join(folder, 'balancer.yaml');
  // JSON is YAML.
  await writeFile(config, JSON.stringify(configuration(http, grpc, resolver)));
  const url = `http://127.0.0.1:${http}`;
  const [program = '', ...words] = [...before, join(build, 'collector'), '--config', `file:${config}`];
  const server = await startServer({ name: 'the balancing Collector', program, words, url, readyWithinMs: 30_000 });
  return { http: url, grpc: `http://127.0.0.1:${grpc}`, server };
}

function configuration(http: number, grpc: number, resolver: object): object {
  return {
    receivers: {
      otlp: { protocols: { http: { endpoint: `127.0.0.1:${http}` }, grpc: { endpoint: `127.0.0.1:${grpc}` } } },
    },
    exporters: {
      load_balancing: {
        routing_key: 'attributes',
        routing_attributes: ['session.id'],
        protocol: {
          otlp: { tls: { insecure: true }, retry_on_failure: { enabled: true }, sending_queue: { enabled: false } },
        },
        resolver,
      },
    },
    service: {
      telemetry: { metrics: { level: 'none' } },
      pipelines: Object.fromEntries(
        ['traces', 'logs', 'metrics'].map((signal) => [signal, { receivers: ['otlp'], exporters: ['load_balancing'] }]),
      ),
    },
  };
}

/** Ids of sessions that there are in no recording. */
export const sessionIds = (first: number, count: number): readonly string[] =>
  Array.from({ length: count }, (_, index) => `00000000-0000-4000-8000-${String(first + index).padStart(12, '0')}`);

/** The telemetry of a recorded run, as that of another session. */
export async function sendRecorded(url: string, sessionId: string): Promise<void> {
  const { telemetry } = openRecording('foreground-subagent');
  const recorded = /"session\.id","value":\{"stringValue":"([^"]+)"/.exec(JSON.stringify(telemetry))?.[1] ?? '';
  for (const signal of ['traces', 'logs', 'metrics'] as const) {
    for (const { payload } of telemetry[signal]) {
      const body = JSON.stringify(payload).replaceAll(recorded, sessionId);
      const headers = { 'content-type': 'application/json' };
      const response = await fetch(`${url}/v1/${signal}`, { method: 'POST', body, headers });
      expect(response.status).toBe(200);
    }
  }
}

export const sessionsAt = ({ backend }: Instance): readonly string[] => [
  ...new Set(backend.spans().map(({ attributes }) => String(attributes['gen_ai.conversation.id']))),
];

/** Each of these recorded sessions is in one place, and whole there. */
export function expectEachWhole(instances: readonly Instance[], sessions: readonly string[]): void {
  const shapes = sessions.map((id) => {
    const homes = instances.filter((instance) => sessionsAt(instance).includes(id));
    expect(homes, id).toHaveLength(1);
    const spans = homes.flatMap(({ backend }) => backend.spans());
    return shape(distinct(spans.filter(({ attributes }) => attributes['gen_ai.conversation.id'] === id)));
  });
  expect(shapes[0]?.length).toBeGreaterThan(4);
  for (const one of shapes) expect(one).toEqual(shapes[0]);
}
