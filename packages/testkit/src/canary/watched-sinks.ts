import { randomUUID } from 'node:crypto';
import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import {
  BasicTracerProvider,
  InMemorySpanExporter,
  type ReadableSpan,
  SimpleSpanProcessor,
} from '@opentelemetry/sdk-trace-base';
import { logfireSink } from '../../../claude-logfire/src/index.ts';
import { otlpSink } from '../../../claude-otlp/src/index.ts';
import { otelSink } from '../../../claude-otlp/src/otel/index.ts';
import { resolveCapture } from '../../../core/src/capture/policy.ts';
import type { CaptureOptions } from '../../../core/src/model/capture-options.ts';
import type { MetricPoint, Sink } from '../../../core/src/model/sink.ts';
import { consoleSink } from '../../../core/src/sinks/console-sink.ts';
import { FanOut } from '../../../core/src/tracing/fan-out.ts';
import { Guarded } from '../../../core/src/tracing/guard.ts';
import { type Collector, startCollector } from '../collector/collector.ts';
import { asArray, asObject, type JsonObject } from '../json.ts';
import type { Told } from '../replay/replay.ts';
import { type WatchedSentry, watchedSentry } from './watched-sentry.ts';

/** Everything that has left through sinks of every sort, as bytes. */
export type Left = Readonly<Record<Exit, Buffer>>;

/** `spool`: its files, before anything was delivered. */
export type Exit = 'protobuf' | 'json' | 'logfire' | 'spool' | 'otel' | 'sentry' | 'console' | 'diagnostics';

export interface WatchedSinksOptions {
  readonly capture?: CaptureOptions;
  /** The collectors take nothing. */
  readonly refuses?: boolean;
}

/** The fakes of backends, by exit. */
type Collectors = Readonly<Record<'protobuf' | 'json' | 'logfire', Collector>>;

const DEADLINE_MS = 10_000;

/** Real sinks of every sort under one capture policy, into fakes of the network. */
export class WatchedSinks implements AsyncDisposable {
  readonly #collectors: Collectors;
  /** Nobody else knows it: what comes below is of these sinks. */
  readonly #path: string = `/${randomUUID()}`;
  readonly #spool: string = mkdtempSync(join(tmpdir(), 'spanprism-canary-'));
  readonly #exporter: InMemorySpanExporter = new InMemorySpanExporter();
  readonly #lines: string[] = [];
  readonly #diagnostics: string[] = [];
  readonly #sentry: WatchedSentry;
  readonly #sinks: readonly Sink[];
  readonly #fanOut: FanOut;

  private constructor(collectors: Collectors, { capture }: WatchedSinksOptions) {
    this.#collectors = collectors;
    const diag = (level: string, message: string): void => void this.#diagnostics.push(`${level}: ${message}`);
    const tracerProvider = new BasicTracerProvider({ spanProcessors: [new SimpleSpanProcessor(this.#exporter)] });
    const otlp = (protocol: 'http/protobuf' | 'http/json', { url }: Collector): Sink =>
      otlpSink({
        name: protocol,
        endpoint: `${url}${this.#path}`,
        protocol,
        environment: {},
        diag,
        spool: { directory: this.#spool, mode: 'always' },
      });
    this.#sentry = watchedSentry(diag);
    this.#sinks = [
      otlp('http/protobuf', collectors.protobuf),
      otlp('http/json', collectors.json),
      logfireSink({
        token: 'pylf_v1_us_0123456789abcdef',
        baseUrl: `${collectors.logfire.url}${this.#path}`,
        environment: {},
        diag,
      }),
      otelSink({ tracerProvider }),
      this.#sentry.sink,
      consoleSink({ color: false, stream: { write: (line) => this.#lines.push(line) } }),
    ];
    const policy = resolveCapture(capture, { environment: {} });
    this.#fanOut = new FanOut(
      this.#sinks.map((sink) => ({ sink, policy })),
      new Guarded(diag),
    );
  }

  static async start(options: WatchedSinksOptions = {}): Promise<WatchedSinks> {
    const [protobuf, json, logfire] = await Promise.all([startCollector(), startCollector(), startCollector()]);
    if (options.refuses === true)
      for (const one of [protobuf, json, logfire]) one.behave({ kind: 'status', status: 400, body: 'no' });
    return new WatchedSinks({ protobuf, json, logfire }, options);
  }

  tell(told: readonly Told[]): void {
    for (const event of told) {
      if (event.type === 'turn-end') this.#fanOut.turnEnd(event.rootSpanId);
      else if (event.type === 'start') this.#fanOut.start(event.span);
      else this.#fanOut.end(event.span);
    }
  }

  metrics(points: readonly MetricPoint[]): void {
    if (points.length > 0) this.#fanOut.metrics(points);
  }

  /** Closes the sinks and tells what has left through them. */
  async left(): Promise<Left> {
    const spool = filesBelow(this.#spool);
    // Rejects where a collector refuses.
    await this.#fanOut.each('close', DEADLINE_MS).catch((error: unknown) => this.#diagnostics.push(String(error)));
    const { protobuf, json, logfire } = this.#collectors;
    return {
      protobuf: protobuf.bytes(this.#path),
      json: json.bytes(this.#path),
      logfire: logfire.bytes(this.#path),
      spool,
      otel: Buffer.from(JSON.stringify(this.#exporter.getFinishedSpans().map(readable))),
      sentry: this.#sentry.left(),
      console: Buffer.from(this.#lines.join('')),
      diagnostics: Buffer.from(this.#diagnostics.join('\n')),
    };
  }

  /** The resource of every request, once for each that differs. */
  get resources(): readonly JsonObject[] {
    const requests = Object.values(this.#collectors).flatMap((collector) => collector.requests);
    const resources = requests
      .flatMap(({ decoded = {} }) => Object.values(decoded).flatMap(asArray))
      .map((group) => {
        const pairs = asArray(asObject(asObject(group)['resource'])['attributes']).map(asObject);
        return Object.fromEntries(
          pairs.map(({ key, value }) => [key, Object.values(asObject(value))[0]]),
        ) as JsonObject;
      });
    const distinct = new Map(
      resources.map((resource) => [JSON.stringify(Object.entries(resource).toSorted()), resource]),
    );
    return [...distinct.values()];
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await Promise.all(Object.values(this.#collectors).map((collector) => collector.close()));
    rmSync(this.#spool, { recursive: true, force: true });
  }
}

function filesBelow(folder: string): Buffer {
  const entries = readdirSync(folder, { recursive: true, withFileTypes: true });
  const files = entries.filter((entry) => entry.isFile()).map((entry) => join(entry.parentPath, entry.name));
  return Buffer.concat(files.flatMap((file) => [Buffer.from(`${file}\n`), readFileSync(file)]));
}

/** All that an exporter gets of a span. */
function readable(span: ReadableSpan): unknown {
  const { name, kind, attributes, events, links, status, resource, instrumentationScope } = span;
  return {
    name,
    kind,
    attributes,
    events,
    links,
    status,
    instrumentationScope,
    resource: resource.attributes,
    context: span.spanContext(),
  };
}
