import { checkUrl, readText, wrongValue } from '@spanprism/core/otlp';
import type { Environment, Sourced } from '@spanprism/core/otlp';

export interface EndpointOptions {
  /** Base URL; `/v1/traces` and `/v1/metrics` are appended. `OTEL_EXPORTER_OTLP_ENDPOINT` or `http://localhost:4318` unless given. */
  readonly endpoint?: string;
  /** Full URL for traces, used as it is. */
  readonly url?: string;
  /** Full URL for metrics, used as it is. */
  readonly metricsUrl?: string;
}

export type Signal = 'traces' | 'metrics';

/** Where one signal goes. */
export interface SignalUrl extends Sourced<string> {
  /** Worked out from where another signal goes, so nobody has said that something takes this one there. */
  readonly isDerived: boolean;
  /** Whose headers go with it. */
  readonly headersOf: Signal;
}

const DEFAULT_BASE = 'http://localhost:4318';

/**
 * The URL of a signal; undefined when a full URL for traces is all that is known and says nothing about metrics.
 * `wasGrpc`: the environment speaks of gRPC endpoints, which have another port, no path and sometimes no scheme.
 */
export function readUrl(
  signal: Signal,
  options: EndpointOptions,
  { environment, wasGrpc }: { readonly environment: Environment; readonly wasGrpc: boolean },
): SignalUrl | undefined {
  const fromCode = urlFromCode(signal, options);
  if (fromCode !== undefined) return fromCode === 'none' ? undefined : fromCode;
  const own = { isDerived: false, headersOf: signal };
  const named = readText(environment, `OTEL_EXPORTER_OTLP_${signal.toUpperCase()}_ENDPOINT`);
  if (named !== undefined) return { ...own, ...checkUrl(wasGrpc ? httpFromGrpc(named, signal) : named) };
  const base = readText(environment, 'OTEL_EXPORTER_OTLP_ENDPOINT');
  if (base !== undefined) {
    const { value, from } = wasGrpc ? httpFromGrpc(base) : base;
    return { value: below({ value, from }, signal), from, ...own, isDerived: signal === 'metrics' };
  }
  const traces = readText(environment, 'OTEL_EXPORTER_OTLP_TRACES_ENDPOINT');
  if (traces !== undefined) return metricsBeside(checkUrl(wasGrpc ? httpFromGrpc(traces, 'traces') : traces));
  const standard = { value: below({ value: DEFAULT_BASE, from: 'the default' }, signal), from: 'the default' };
  return { ...standard, ...own, isDerived: signal === 'metrics' };
}

function urlFromCode(signal: Signal, { endpoint, url, metricsUrl }: EndpointOptions): SignalUrl | 'none' | undefined {
  const own = { isDerived: false, headersOf: signal };
  if (signal === 'metrics' && metricsUrl !== undefined) {
    return { ...own, ...checkUrl({ value: metricsUrl, from: 'the option metricsUrl' }) };
  }
  if (url !== undefined) {
    const traces = checkUrl({ value: url, from: 'the option url' });
    if (signal === 'traces') return { ...traces, ...own };
    if (endpoint === undefined) return metricsBeside(traces) ?? 'none';
  }
  if (endpoint === undefined) return undefined;
  const from = 'the option endpoint';
  return { value: below({ value: endpoint, from }, signal), from, ...own, isDerived: signal === 'metrics' };
}

function metricsBeside({ value, from }: Sourced<string>): SignalUrl | undefined {
  const url = new URL(value);
  if (!url.pathname.endsWith('/v1/traces')) return undefined;
  url.pathname = url.pathname.replace(/traces$/, 'metrics');
  return { value: url.href, from, isDerived: true, headersOf: 'traces' };
}

function below(base: Sourced<string>, signal: Signal): string {
  const url = new URL(checkUrl(base).value);
  const full = /\/v1\/(traces|metrics|logs)\/?$/.exec(url.pathname);
  if (full !== null) {
    const fix = `It must be the base without "${full[0]}"; for a full URL use url (OTEL_EXPORTER_OTLP_TRACES_ENDPOINT).`;
    throw wrongValue(`the endpoint ends in ${full[0]}, and would get it twice`, { from: base.from, fix });
  }
  url.pathname = `${url.pathname.replace(/\/+$/, '')}/v1/${signal}`;
  return url.href;
}

/** A full URL (of `signal`) had no path as long as it was meant for gRPC. */
function httpFromGrpc(endpoint: Sourced<string>, signal?: Signal): Sourced<string> {
  const { from } = endpoint;
  const { value } = checkUrl({ value: withScheme(endpoint.value), from });
  const url = new URL(value);
  if (url.port === '4317') url.port = '4318';
  if (signal !== undefined && url.pathname === '/') url.pathname = `/v1/${signal}`;
  return { value: url.href, from };
}

const LOOPBACK = /^(localhost|127\.|\[::1\])/;

function withScheme(endpoint: string): string {
  if (endpoint.includes('://')) return endpoint;
  return `${LOOPBACK.test(endpoint) ? 'http' : 'https'}://${endpoint}`;
}
