import type { Attributes, Diag } from '@spanprism/core';
import {
  checkHeader,
  pick,
  readFlag,
  readMs,
  readPairs,
  readResource,
  readSampler,
  readText,
} from '@spanprism/core/otlp';
import type {
  Environment,
  Headers,
  OtlpProtocol,
  ResourceOptions,
  Sampler,
  SamplerOptions,
  Sourced,
} from '@spanprism/core/otlp';
import { readUrl } from './endpoint.ts';
import type { EndpointOptions, Signal, SignalUrl } from './endpoint.ts';

export type { Headers, OtlpProtocol };

export interface OtlpConfigOptions extends EndpointOptions, ResourceOptions {
  /** Sent with every request, asked for anew each time if a function. Given here, those of the environment do not go with them. */
  readonly headers?: Headers | (() => Headers);
  /** `http/protobuf` unless given. */
  readonly protocol?: OtlpProtocol;
  /** `gzip` unless given. */
  readonly compression?: 'gzip' | 'none';
  /** For one request, milliseconds; 10 s unless given. */
  readonly timeoutMs?: number;
  readonly sampler?: SamplerOptions;
  /** Whether metrics are sent as well; yes unless given, or `OTEL_METRICS_EXPORTER` is `none`. */
  readonly metrics?: boolean;
  readonly temporality?: 'delta' | 'cumulative';
}

/** How one signal is sent. */
export interface SignalConfig {
  readonly url: SignalUrl;
  readonly headers: Headers | (() => Headers);
  readonly protocol: OtlpProtocol;
  readonly compression: 'gzip' | 'none';
  readonly timeoutMs: number;
}

export interface OtlpConfig {
  /** `OTEL_SDK_DISABLED`. */
  readonly isDisabled: boolean;
  readonly traces: SignalConfig;
  /** Undefined when metrics are not to be sent, or nothing says where. */
  readonly metrics:
    | (SignalConfig & { readonly temporality: 'delta' | 'cumulative'; readonly intervalMs: number })
    | undefined;
  readonly resource: Attributes;
  readonly sampler: Sampler;
}

/** Everything settled: code before environment, a signal's own variable before the general one, defaults last. */
export function readOtlpConfig(options: OtlpConfigOptions, environment: Environment, diag: Diag): OtlpConfig {
  const context = { options, environment, diag: once(diag) };
  const traces = readSignal('traces', context);
  if (traces === undefined) throw new Error('traces always have a place to go');
  return {
    isDisabled: readFlag(environment, 'OTEL_SDK_DISABLED'),
    traces,
    metrics: readMetrics(context),
    resource: readResource(options, environment),
    sampler: readSampler(options.sampler, environment),
  };
}

interface Context {
  readonly options: OtlpConfigOptions;
  readonly environment: Environment;
  readonly diag: Diag;
}

function readMetrics(context: Context): OtlpConfig['metrics'] {
  const { options, environment } = context;
  const exporter = readText(environment, 'OTEL_METRICS_EXPORTER')?.value.toLowerCase();
  if (!(options.metrics ?? exporter !== 'none')) return undefined;
  const signal = readSignal('metrics', context);
  if (signal === undefined) return undefined;
  const intervalMs = readMs(environment, 'OTEL_METRIC_EXPORT_INTERVAL') ?? 60_000;
  return { ...signal, intervalMs, temporality: options.temporality ?? temporalityOf(environment) };
}

function temporalityOf(environment: Environment): 'delta' | 'cumulative' {
  const wish = readText(environment, 'OTEL_EXPORTER_OTLP_METRICS_TEMPORALITY_PREFERENCE');
  if (wish === undefined) return 'cumulative';
  // `lowmemory` is delta for the instruments we have: counters and histograms.
  const word = pick(wish, ['cumulative', 'delta', 'lowmemory'], 'temporality');
  return word === 'cumulative' ? 'cumulative' : 'delta';
}

function readSignal(signal: Signal, context: Context): SignalConfig | undefined {
  const { options, environment } = context;
  const { protocol, wasGrpc } = readProtocol(signal, context);
  const url = readUrl(signal, options, { environment, wasGrpc });
  if (url === undefined) return undefined;
  return {
    url,
    protocol,
    headers: headersOfCode(options.headers) ?? readHeaders(url.headersOf, environment),
    compression: readCompression(signal, context),
    timeoutMs: options.timeoutMs ?? readMs(environment, ...names(signal, 'TIMEOUT')) ?? 10_000,
  };
}

function names(signal: Signal, what: string): readonly [string, string] {
  return [`OTEL_EXPORTER_OTLP_${signal.toUpperCase()}_${what}`, `OTEL_EXPORTER_OTLP_${what}`];
}

const PROTOCOLS = ['http/protobuf', 'http/json'] as const;

function readProtocol(signal: Signal, { options, environment, diag }: Context) {
  if (options.protocol !== undefined) {
    const given: Sourced<string> = { value: options.protocol, from: 'the option protocol' };
    return { protocol: pick(given, PROTOCOLS, 'protocol that works here'), wasGrpc: false };
  }
  const text = readText(environment, ...names(signal, 'PROTOCOL'));
  if (text === undefined) return { protocol: 'http/protobuf' as const, wasGrpc: false };
  if (text.value.toLowerCase() === 'grpc') {
    diag(
      'warn',
      `"grpc" (from ${text.from}) is not spoken here: sending http/protobuf, to port 4318 where 4317 was meant.`,
    );
    return { protocol: 'http/protobuf' as const, wasGrpc: true };
  }
  return { protocol: pick(text, PROTOCOLS, 'protocol that works here'), wasGrpc: false };
}

function readCompression(signal: Signal, { options, environment }: Context): 'gzip' | 'none' {
  const text = options.compression ?? readText(environment, ...names(signal, 'COMPRESSION')) ?? 'gzip';
  const sourced = typeof text === 'string' ? { value: text, from: 'the option compression' } : text;
  return pick(sourced, ['gzip', 'none'], 'compression that works here');
}

function headersOfCode(headers: OtlpConfigOptions['headers']): OtlpConfigOptions['headers'] {
  if (typeof headers !== 'object') return headers;
  for (const [name, value] of Object.entries(headers)) checkHeader(name, { value, from: 'the option headers' });
  return headers;
}

function readHeaders(signal: Signal, environment: Environment): Headers {
  const [special, general] = names(signal, 'HEADERS');
  const headers: Record<string, string> = {};
  for (const variable of [general, special]) {
    for (const [name, value] of Object.entries(readPairs(environment, variable))) {
      checkHeader(name, { value, from: `env ${variable}` });
      headers[name.toLowerCase()] = value;
    }
  }
  return headers;
}

/** Two signals share most of their environment; what is wrong with it needs saying once. */
function once(diag: Diag): Diag {
  const said = new Set<string>();
  return (level, message) => {
    if (said.has(message)) return;
    said.add(message);
    diag(level, message);
  };
}
