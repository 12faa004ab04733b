import { readFileSync } from 'node:fs';
import type { Environment, OtlpSignal } from '@spanprism/core/child';

/** Certificates that OpenTelemetry's variables name for a signal, by the option of `node:tls` that takes them. */
const FILES = { ca: 'CERTIFICATE', cert: 'CLIENT_CERTIFICATE', key: 'CLIENT_KEY' } as const;

export type TlsFiles = { readonly [K in keyof typeof FILES]?: Buffer };

export function tlsFiles(env: Environment, signal: OtlpSignal): TlsFiles {
  const files: { -readonly [K in keyof TlsFiles]: TlsFiles[K] } = {};
  for (const [option, variable] of Object.entries(FILES) as [keyof TlsFiles, string][]) {
    const path = env[`OTEL_EXPORTER_OTLP_${signal.toUpperCase()}_${variable}`] || env[`OTEL_EXPORTER_OTLP_${variable}`];
    if (path) files[option] = readFileSync(path);
  }
  return files;
}
