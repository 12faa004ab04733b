import type { Environment, OtlpSignal } from '@spanprism/core/child';

export const SIGNALS: readonly OtlpSignal[] = ['traces', 'logs', 'metrics'];

export type Protocol = 'grpc' | 'http/protobuf' | 'http/json';

/** Where the user has the CLI send one signal. */
export interface Destination {
  readonly url: string;
  readonly protocol: Protocol;
}

/** The user's own set-up of the CLI's telemetry: only signals that it exports over OTLP. */
export type OwnTelemetry = Readonly<Partial<Record<OtlpSignal, Destination>>>;

/**
 * What the user's environment has the CLI export, as the CLI itself reads it
 * (https://code.claude.com/docs/en/monitoring-usage): spans only with the beta switch.
 */
export function ownTelemetry(env: Environment): OwnTelemetry {
  if (!isOn(env['CLAUDE_CODE_ENABLE_TELEMETRY'])) return {};
  const own: Partial<Record<OtlpSignal, Destination>> = {};
  for (const signal of SIGNALS) {
    if (!exportersOf(env, signal).includes('otlp')) continue;
    if (signal === 'traces' && !hasSpans(env)) continue;
    own[signal] = destinationOf(env, signal);
  }
  return own;
}

/** The exporters that the user names for a signal, in lower case. */
export function exportersOf(env: Environment, signal: OtlpSignal): readonly string[] {
  return (env[`OTEL_${signal.toUpperCase()}_EXPORTER`] ?? '')
    .split(',')
    .map((name) => name.trim().toLowerCase())
    .filter((name) => name !== '' && name !== 'none');
}

function hasSpans(env: Environment): boolean {
  return isOn(env['CLAUDE_CODE_ENHANCED_TELEMETRY_BETA']) || isOn(env['ENABLE_ENHANCED_TELEMETRY_BETA']);
}

function isOn(value: string | undefined): boolean {
  return !['', '0', 'false', 'no', 'off'].includes((value ?? '').trim().toLowerCase());
}

function destinationOf(env: Environment, signal: OtlpSignal): Destination {
  const [own, general] = [`OTEL_EXPORTER_OTLP_${signal.toUpperCase()}_`, 'OTEL_EXPORTER_OTLP_'];
  const protocol = protocolOf(env[`${own}PROTOCOL`] || env[`${general}PROTOCOL`]);
  const exact = env[`${own}ENDPOINT`]?.trim();
  const base =
    env[`${general}ENDPOINT`]?.trim() || (protocol === 'grpc' ? 'http://localhost:4317' : 'http://localhost:4318');
  if (protocol === 'grpc') return { protocol, url: exact || base };
  return { protocol, url: exact || `${base.replace(/\/+$/, '')}/v1/${signal}` };
}

/** Without one, the CLI sends protobuf over HTTP. */
function protocolOf(text: string | undefined): Protocol {
  const protocol = text?.trim().toLowerCase();
  return protocol === 'grpc' || protocol === 'http/json' ? protocol : 'http/protobuf';
}
