import { spawnSync } from 'node:child_process';
import { appendFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import type { Collector } from '@spanprism/testkit';
import { afterEach, describe, expect, inject, test } from 'vitest';
import { endAll, runClaude, temporaryFolder } from '../src/collect-process.ts';
import { expectWhole, RULES } from '../src/collect-runs.ts';
import {
  expectEachWhole,
  sendRecorded,
  sessionIds,
  sessionsAt,
  startBalancer,
  startInstance,
} from './balanced-collect-instances.ts';
import { freePorts } from './server.ts';

const collector = inject('backends').collector;
const build = collector.folder ?? '';

afterEach(endAll);

describe.skipIf(collector.absent !== undefined)(
  'several spanprism collect behind a Collector that balances by session',
  () => {
    test('have each session whole in one place, whatever its runs speak', { timeout: 120_000 }, async () => {
      await using folder = await temporaryFolder();
      const instances = await Promise.all(['0', '1', '2'].map((name) => startInstance(join(folder.path, name))));
      const hostnames = instances.map(({ collecting }) => new URL(collecting.grpc).host);
      const balancer = await startBalancer({ folder: folder.path, build, resolver: { static: { hostnames } } });
      try {
        const recorded = sessionIds(0, 24);
        for (const id of recorded) await sendRecorded(balancer.http, id);
        const endpoints = { 'http/protobuf': balancer.http, grpc: balancer.grpc };
        const costs = await Promise.all(
          Object.entries(endpoints).map(([protocol, endpoint]) =>
            runClaude({
              prompt: 'begin',
              rules: RULES,
              env: { OTEL_EXPORTER_OTLP_PROTOCOL: protocol, OTEL_EXPORTER_OTLP_ENDPOINT: endpoint },
            }),
          ),
        );
        await balancer.server.stop();
        for (const { collecting } of instances) expect(await collecting.stop()).toBe(0);
        // No session is in two places, and no place has all of them.
        const places = instances.map(sessionsAt);
        expect(places.flat().toSorted()).toEqual([...recorded, ...costs.map(({ sessionId }) => sessionId)].toSorted());
        for (const place of places) expect(place.length).toBeGreaterThan(0);
        for (const cost of costs) {
          const home = instances.find((instance) => sessionsAt(instance).includes(cost.sessionId));
          expectWhole(home?.backend as Collector, cost);
        }
        expectEachWhole(instances, recorded);
      } finally {
        await balancer.server.stop();
        for (const { backend } of instances) await backend.close();
      }
    });

    test('are found by one name that has an address for each, also one that is added later', {
      timeout: 120_000,
    }, async (context) => {
      if (spawnSync('unshare', [...OWN_PLACE, 'true']).status !== 0)
        return context.skip('a program cannot have names of its own here');
      await using folder = await temporaryFolder();
      const [port = 0] = await freePorts(1);
      const at = (address: string) =>
        startInstance(join(folder.path, address), ['--host', address, '--grpc-port', String(port)]);
      const instances = await Promise.all(['127.0.0.2', '127.0.0.3'].map(at));
      const hosts = join(folder.path, 'hosts');
      await writeFile(hosts, '127.0.0.2 collect.test\n127.0.0.3 collect.test\n');
      const balancer = await startBalancer({
        folder: folder.path,
        build,
        resolver: { dns: { hostname: 'collect.test', port: String(port), interval: '1s' } },
        before: ['unshare', ...OWN_PLACE, 'sh', '-c', 'mount --bind "$0" /etc/hosts && exec "$@"', hosts],
      });
      try {
        const before = sessionIds(0, 12);
        for (const id of before) await sendRecorded(balancer.http, id);
        const third = await at('127.0.0.4');
        instances.push(third);
        await appendFile(hosts, '127.0.0.4 collect.test\n');
        // While the list of instances changes a session may come in two parts.
        const arrived = 'spanprism_collect_requests_total{signal="traces",transport="grpc"}';
        for (const id of sessionIds(100, 300)) {
          await sendRecorded(balancer.http, id);
          if ((await third.collecting.metric(arrived)) > 0) break;
          await delay(200);
        }
        const after = sessionIds(1_000, 12);
        for (const id of after) await sendRecorded(balancer.http, id);
        await balancer.server.stop();
        for (const { collecting } of instances) expect(await collecting.stop()).toBe(0);
        expectEachWhole(instances, [...before, ...after]);
        for (const instance of instances) expect(sessionsAt(instance).length).toBeGreaterThan(0);
      } finally {
        await balancer.server.stop();
        for (const { backend } of instances) await backend.close();
      }
    });
  },
);

/** Its mounts are nobody else's. */
const OWN_PLACE = ['--user', '--map-root-user', '--mount', '--'];
