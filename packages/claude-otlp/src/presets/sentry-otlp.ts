import type { Sink } from '@spanprism/core';
import { genaiDialect } from '@spanprism/core/dialect';
import { overlaid } from '../dialects/overlay.ts';
import { SENTRY_OTLP as OVERLAY } from '../dialects/sentry-otlp.ts';
import { presetSink } from './vendor.ts';
import type { PresetOptions, Values, Vendor } from './vendor.ts';

export interface SentryOtlpOptions extends PresetOptions {
  /** `SENTRY_DSN` unless given. */
  readonly dsn?: string;
  /** `SENTRY_ENVIRONMENT` unless given. */
  readonly deployment?: string;
  /** `SENTRY_RELEASE` unless given. */
  readonly release?: string;
  /** Share of the traces, 0 to 1; `SENTRY_TRACES_SAMPLE_RATE` unless given, then all. */
  readonly tracesSampleRate?: number;
}

type Key = 'dsn' | 'deployment' | 'release' | 'tracesSampleRate';

const DSN = /^(https?:)\/\/([^:@/]+)(?::[^@/]*)?@([^/]+)((?:\/[^/]+)*)\/(\d+)\/?$/;

const VENDOR: Vendor<Key> = {
  name: 'sentry-otlp',
  settings: {
    dsn: {
      for: 'url',
      env: ['SENTRY_DSN'],
      need: 'Copy the DSN from the settings of the project, under Client Keys: https://<key>@<host>/<project>.',
      mistakes: [[/^(?!https?:\/\/[^@/]+@[^/]+.*\/\d+\/?$)/, 'no DSN']],
    },
    deployment: { for: 'resource', env: ['SENTRY_ENVIRONMENT'] },
    release: { for: 'resource', env: ['SENTRY_RELEASE'] },
    tracesSampleRate: {
      for: 'resource',
      env: ['SENTRY_TRACES_SAMPLE_RATE'],
      need: 'Give a number from 0 to 1, e.g. 0.1.',
      unless: true,
      mistakes: [[/^(?!(0?\.\d+|0|1|[01]\.0+|0\.\d+)$)/, 'no share of the traces']],
    },
  },
  url: ({ dsn = '' }) => {
    const [, protocol, , host, path = '', project] = DSN.exec(dsn) ?? [];
    return `${protocol}//${host}${path}/api/${project}/integration/otlp/v1/traces/`;
  },
  headers: ({ dsn = '' }) => {
    const key = DSN.exec(dsn)?.[2];
    return { 'x-sentry-auth': key === undefined ? undefined : `Sentry sentry_version=7, sentry_key=${key}` };
  },
  resource: ({ deployment, release }) => ({ 'deployment.environment.name': deployment, 'service.version': release }),
  dialect: (shape) => overlaid(genaiDialect(shape), OVERLAY),
  sink: samplerOf,
  refused: 'Check SENTRY_DSN: the client key is that of this project, and active.',
};

function samplerOf({ tracesSampleRate }: Values<Key>) {
  if (tracesSampleRate === undefined) return {};
  return { sampler: { type: 'parentbased_traceidratio', ratio: Number(tracesSampleRate) } } as const;
}

/** Sentry over its OTLP endpoint (beta): spans alone, no events, metrics or errors. The package for Sentry's own SDK does more. */
export function sentryOtlp(options: SentryOtlpOptions = {}): Sink {
  const { tracesSampleRate: rate, ...others } = options;
  return presetSink(VENDOR, rate === undefined ? others : { ...others, tracesSampleRate: String(rate) });
}
