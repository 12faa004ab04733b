import type { Environment } from '@spanprism/core/otlp';

/** Every way in which a set-up can be broken. The names are stable: scripts compare them. */
export const CODES = [
  'node_too_old',
  'claude_not_found',
  'claude_fails',
  'settings_base_url',
  'settings_telemetry',
  'settings_malformed',
  'sdk_not_patched',
  'two_otel_majors',
  'wrong_protocol',
  'headers_malformed',
  'missing_v1_traces',
  'exporter_none',
  'sdk_disabled',
  'unsampled_parent',
  'traceparent_malformed',
  'sampler_off',
  'configuration',
  'connection_refused',
  'connection_cut',
  'host_not_found',
  'no_answer',
  'tls_failed',
  'proxy_in_the_way',
  'key_refused',
  'wrong_region',
  'not_found',
  'redirected',
  'payload_refused',
  'rate_limited',
  'backend_failing',
  'undelivered',
  'store_not_writable',
  'store_locked',
  'store_corrupt',
  'store_newer',
  'store_disk_full',
] as const;

export type Code = (typeof CODES)[number];

/** What is wrong, where it was said or seen, and what to do about it. No part of it ever holds a secret. */
export interface Finding {
  readonly code: Code;
  readonly what: string;
  readonly where: string;
  readonly fix: string;
}

/** One row of the answer. `subject` is the sink, or what else the check is about. */
export type Row = { readonly check: string } & (
  | { readonly status: 'ok' | 'skipped'; readonly detail: string }
  | ({ readonly status: 'problem' } & Finding)
);

/** What checks ask of the world. */
export interface Surroundings {
  readonly env: Environment;
  readonly cwd: string;
  readonly home: string;
}

export function ok(check: string, detail: string): Row {
  return { check, status: 'ok', detail };
}

export function skipped(check: string, detail: string): Row {
  return { check, status: 'skipped', detail };
}

/** The problems, or that there are none. */
export function rowsOf(check: string, findings: readonly Finding[], detail: string): readonly Row[] {
  if (findings.length === 0) return [ok(check, detail)];
  return findings.map((finding) => ({ check, status: 'problem', ...finding }));
}
