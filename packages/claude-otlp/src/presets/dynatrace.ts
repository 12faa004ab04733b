import type { Sink } from '@spanprism/core';
import { presetSink, scheme, tracesBelow } from './vendor.ts';
import type { PresetOptions, Vendor } from './vendor.ts';

export interface DynatraceOptions extends PresetOptions {
  /** Of a SaaS environment, e.g. `abc12345`; `DT_ENVIRONMENT_ID` unless given. */
  readonly environmentId?: string;
  /** In its place, also of Managed and of an ActiveGate: the URL, up to `/api/v2/otlp` or without; `DT_ENDPOINT` or `DT_API_URL` unless given. */
  readonly server?: string;
  /** With the scope `openTelemetryTrace.ingest`; `DT_API_TOKEN` or `DYNATRACE_API_TOKEN` unless given. */
  readonly apiToken?: string;
}

const OTLP = '/api/v2/otlp';

const DYNATRACE: Vendor<'server' | 'environmentId' | 'apiToken'> = {
  name: 'dynatrace',
  settings: {
    environmentId: {
      for: 'url',
      env: ['DT_ENVIRONMENT_ID'],
      mistakes: [[/[/.]/, 'an address, not the id of an environment']],
    },
    server: {
      for: 'url',
      env: ['DT_ENDPOINT', 'DT_API_URL'],
      isUrl: true,
      need: 'Give https://<environment>.live.dynatrace.com, or https://<gate>:9999/e/<environment> of an ActiveGate.',
      unless: 'environmentId',
      mistakes: [[/\.apps\.dynatrace\.com/, 'the address of the web interface, which takes no OTLP']],
    },
    apiToken: {
      for: 'headers',
      env: ['DT_API_TOKEN', 'DYNATRACE_API_TOKEN'],
      need: 'Create an access token with the scope openTelemetryTrace.ingest.',
      mistakes: [[/^(?!dt0)/, 'no token of Dynatrace, which begins with dt0']],
    },
  },
  url: ({ server, environmentId }) => {
    const base = server ?? `https://${environmentId}.live.dynatrace.com`;
    return tracesBelow(base.includes(OTLP) ? base : `${base}${OTLP}`);
  },
  headers: ({ apiToken }) => ({ authorization: scheme('Api-Token', apiToken) }),
  sink: () => ({ temporality: 'delta' }),
  refused:
    'Check DT_API_TOKEN: a token of this environment with the scope openTelemetryTrace.ingest (metrics.ingest for metrics).',
  takesProtobufAlone: true,
};

/** Dynatrace: SaaS, Managed or an ActiveGate. Takes protobuf alone, and no span that ended more than an hour ago. */
export function dynatrace(options: DynatraceOptions = {}): Sink {
  return presetSink(DYNATRACE, options);
}
