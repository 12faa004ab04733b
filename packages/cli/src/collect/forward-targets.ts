import {
  checkHeader,
  checkUrl,
  type Environment,
  type OtlpEndpoint,
  type OtlpSignal,
  readPairs,
  readText,
  type Sourced,
} from '@spanprism/core/otlp';

export const SIGNALS: readonly OtlpSignal[] = ['traces', 'logs', 'metrics'];

/** Where what is not Claude Code's goes on to, per signal; a signal that nobody has named a place for has none. */
export type ForwardTargets = Readonly<Partial<Record<OtlpSignal, OtlpEndpoint>>>;

/** Of `--otlp-endpoint`, else of OpenTelemetry's variables. Throws a `ConfigurationError` on what is no endpoint. */
export function forwardTargets(env: Environment, flag: unknown): ForwardTargets {
  const targets: Partial<Record<OtlpSignal, OtlpEndpoint>> = {};
  for (const signal of SIGNALS) {
    const url = urlOf(signal, env, flag);
    if (url !== undefined) targets[signal] = { url, headers: headersOf(signal, env) };
  }
  return targets;
}

function urlOf(signal: OtlpSignal, env: Environment, flag: unknown): string | undefined {
  if (typeof flag === 'string') return below({ value: flag, from: '--otlp-endpoint' }, signal);
  const own = readText(env, `OTEL_EXPORTER_OTLP_${signal.toUpperCase()}_ENDPOINT`);
  if (own !== undefined) return checkUrl(own).value;
  const base = readText(env, 'OTEL_EXPORTER_OTLP_ENDPOINT');
  return base === undefined ? undefined : below(base, signal);
}

function below(base: Sourced<string>, signal: OtlpSignal): string {
  const url = new URL(checkUrl(base).value);
  // Only HTTP is spoken on the way out, as the sinks do.
  if (url.port === '4317') url.port = '4318';
  url.pathname = `${url.pathname.replace(/\/+$/, '')}/v1/${signal}`;
  return url.href;
}

function headersOf(signal: OtlpSignal, env: Environment): Readonly<Record<string, string>> {
  const headers: Record<string, string> = {};
  for (const variable of ['OTEL_EXPORTER_OTLP_HEADERS', `OTEL_EXPORTER_OTLP_${signal.toUpperCase()}_HEADERS`]) {
    for (const [name, value] of Object.entries(readPairs(env, variable))) {
      checkHeader(name, { value, from: `env ${variable}` });
      headers[name.toLowerCase()] = value;
    }
  }
  return headers;
}
