import { existsSync, readFileSync } from 'node:fs';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { type CollectedMetric, type CollectedSpan, readMetrics, readSpans } from '@spanprism/testkit';
import { builtCollector } from './built-collector.ts';
import type { Build } from './cached-build.ts';
import { freePorts, type Server, startServer, temporaryFolder } from './server.ts';

/** The OpenTelemetry Collector, with what writes to files and what spreads over others. */
export function buildCollector(): Promise<Build> {
  return builtCollector('collector', '0.161.0');
}

export interface RealCollector {
  /** Value for `OTEL_EXPORTER_OTLP_ENDPOINT`. */
  readonly url: string;
  /** Everything that it has written, once it wrote this many spans. */
  readonly spans: (count: number) => Promise<readonly CollectedSpan[]>;
  readonly metrics: () => readonly CollectedMetric[];
  /** What it has printed since it came up. */
  readonly log: () => string;
  /** Ends it for a while; what it has written stays. */
  readonly down: () => Promise<void>;
  /** Starts it again, at the same address. */
  readonly up: () => Promise<void>;
  readonly stop: () => Promise<void>;
}

const configuration = (folder: string, port: number): object => ({
  receivers: { otlp: { protocols: { http: { endpoint: `127.0.0.1:${port}` } } } },
  processors: { batch: { timeout: '100ms' } },
  exporters: Object.fromEntries(
    ['traces', 'metrics'].map((signal) => [
      `file/${signal}`,
      { path: join(folder, `${signal}.jsonl`), flush_interval: '100ms', append: true },
    ]),
  ),
  service: {
    // Nothing of its own is served or sent.
    telemetry: { metrics: { level: 'none' } },
    pipelines: {
      traces: { receivers: ['otlp'], processors: ['batch'], exporters: ['file/traces'] },
      metrics: { receivers: ['otlp'], processors: ['batch'], exporters: ['file/metrics'] },
    },
  },
});

/** Starts a Collector on a port of its own that writes to a folder of its own. */
export async function startRealCollector(build: string): Promise<RealCollector> {
  const folder = temporaryFolder();
  const [port = 0] = await freePorts(1);
  const url = `http://127.0.0.1:${port}`;
  const config = join(folder.path, 'config.yaml');
  // JSON is YAML.
  await writeFile(config, JSON.stringify(configuration(folder.path, port)));
  const start = (): Promise<Server> =>
    startServer({
      name: 'the Collector',
      program: join(build, 'collector'),
      words: ['--config', `file:${config}`],
      url,
      readyWithinMs: 30_000,
    });
  let server = await start();
  const written = (signal: string): readonly string[] => {
    const file = join(folder.path, `${signal}.jsonl`);
    const lines = existsSync(file) ? readFileSync(file, 'utf8').split('\n') : [];
    // The last one may not be complete yet.
    return lines.slice(0, -1);
  };
  return {
    url,
    spans: async (count) => {
      for (let waited = 0; ; waited += 50) {
        const spans = written('traces').flatMap((line) => readSpans(JSON.parse(line)));
        if (spans.length >= count) return spans;
        if (waited > 15_000)
          throw new Error(`the Collector wrote ${spans.length} spans, not ${count}:\n${server.log()}`);
        await delay(50);
      }
    },
    metrics: () => written('metrics').flatMap((line) => readMetrics(JSON.parse(line))),
    log: () => server.log(),
    down: () => server.stop(),
    up: async () => {
      server = await start();
    },
    stop: async () => {
      await server.stop();
      await folder.remove();
    },
  };
}
