import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { type Collector, openRecording, startCollector } from '@spanprism/testkit';
import { afterEach, describe, expect, inject, test } from 'vitest';
import { type Collecting, endAll, runClaude, startCollect, temporaryFolder } from '../src/collect-process.ts';
import { distinct, expectWhole, RULES, shape } from '../src/collect-runs.ts';
import { freePorts, type Server, startServer } from './server.ts';

const build = inject('backends').collector;

const SOURCE = ['--conditions=@spanprism/source', join(import.meta.dirname, '../../packages/cli/src/main.ts')];
const INSTANCES = 3;

interface Instance {
  readonly collecting: Collecting;
  readonly backend: Collector;
}

afterEach(endAll);

/** As docs/scale-out.md has it. */
function configuration(ports: readonly number[], instances: readonly Instance[]): object {
  const [http, grpc] = ports;
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
        resolver: { static: { hostnames: instances.map(({ collecting }) => new URL(collecting.grpc).host) } },
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

/** The telemetry of a recorded run, as that of another session. */
async function sendRecorded(url: string, sessionId: string): Promise<void> {
  const { telemetry } = openRecording('foreground-subagent');
  const recorded = /"session\.id","value":\{"stringValue":"([^"]+)"/.exec(JSON.stringify(telemetry))?.[1] ?? '';
  for (const signal of ['traces', 'logs', 'metrics'] as const) {
    for (const { payload } of telemetry[signal]) {
      const body = JSON.stringify(payload).replaceAll(recorded, sessionId);
      const response = await fetch(`${url}/v1/${signal}`, {
        method: 'POST',
        body,
        headers: { 'content-type': 'application/json' },
      });
      expect(response.status).toBe(200);
    }
  }
}

const sessionsAt = ({ backend }: Instance): readonly string[] => [
  ...new Set(backend.spans().map(({ attributes }) => String(attributes['gen_ai.conversation.id']))),
];

describe.skipIf(build.absent !== undefined)(
  'several spanprism collect behind a Collector that balances by session',
  () => {
    test('have each session whole in one place, whatever its runs speak', { timeout: 120_000 }, async () => {
      await using folder = await temporaryFolder();
      const instances = await Promise.all(
        Array.from({ length: INSTANCES }, async (_, index): Promise<Instance> => {
          const backend = await startCollector();
          const args = ['--otlp-endpoint', backend.url, '--settle', '1'];
          const collecting = await startCollect({ folder: join(folder.path, String(index)), args, program: SOURCE });
          return { collecting, backend };
        }),
      );
      const ports = await freePorts(2);
      const config = join(folder.path, 'balancer.yaml');
      // JSON is YAML.
      await writeFile(config, JSON.stringify(configuration(ports, instances)));
      const url = `http://127.0.0.1:${ports[0]}`;
      const balancer: Server = await startServer({
        name: 'the balancing Collector',
        program: join(build.folder ?? '', 'collector'),
        words: ['--config', `file:${config}`],
        url,
        readyWithinMs: 30_000,
      });
      try {
        const recorded = Array.from(
          { length: 24 },
          (_, index) => `00000000-0000-4000-8000-${String(index).padStart(12, '0')}`,
        );
        for (const id of recorded) await sendRecorded(url, id);
        const endpoints = { 'http/protobuf': url, grpc: `http://127.0.0.1:${ports[1]}` };
        const costs = await Promise.all(
          Object.entries(endpoints).map(([protocol, endpoint]) =>
            runClaude({
              prompt: 'begin',
              rules: RULES,
              env: { OTEL_EXPORTER_OTLP_PROTOCOL: protocol, OTEL_EXPORTER_OTLP_ENDPOINT: endpoint },
            }),
          ),
        );
        await balancer.stop();
        for (const { collecting } of instances) expect(await collecting.stop()).toBe(0);
        // No session is in two places, and no place has all of them.
        const places = instances.map(sessionsAt);
        expect(places.flat().toSorted()).toEqual([...recorded, ...costs.map(({ sessionId }) => sessionId)].toSorted());
        for (const place of places) expect(place.length).toBeGreaterThan(0);
        for (const cost of costs) {
          const home = instances.find((instance) => sessionsAt(instance).includes(cost.sessionId));
          expectWhole(home?.backend as Collector, cost);
        }
        const shapes = recorded.map((id) => {
          const spans = instances.flatMap(({ backend }) => backend.spans());
          return shape(distinct(spans.filter(({ attributes }) => attributes['gen_ai.conversation.id'] === id)));
        });
        expect(shapes[0]?.length).toBeGreaterThan(4);
        for (const one of shapes) expect(one).toEqual(shapes[0]);
      } finally {
        await balancer.stop();
        for (const { backend } of instances) await backend.close();
      }
    });
  },
);
