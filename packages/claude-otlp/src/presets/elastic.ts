import type { Sink } from '@spanprism/core';
import { presetSink, scheme, tracesBelow } from './vendor.ts';
import type { PresetOptions, Vendor } from './vendor.ts';

export interface ElasticOptions extends PresetOptions {
  /** The managed OTLP endpoint, or an APM server; `ELASTIC_OTLP_ENDPOINT` or `ELASTIC_APM_SERVER_URL` unless given. */
  readonly server?: string;
  /** `ELASTIC_API_KEY` or `ELASTIC_APM_API_KEY` unless given. */
  readonly apiKey?: string;
  /** Of an APM server, in place of a key; `ELASTIC_APM_SECRET_TOKEN` unless given. */
  readonly secretToken?: string;
}

const ELASTIC: Vendor<'server' | 'secretToken' | 'apiKey' | 'appName' | 'deployment'> = {
  name: 'elastic',
  settings: {
    server: {
      for: 'url',
      env: ['ELASTIC_OTLP_ENDPOINT', 'ELASTIC_APM_SERVER_URL'],
      isUrl: true,
      need: 'In Elastic Cloud copy the managed OTLP endpoint from Add data; of your own, give the URL of the APM server or EDOT collector.',
      mistakes: [[/\.es\.|:9200\b|:9243\b/, 'the address of Elasticsearch itself, which takes no OTLP']],
    },
    secretToken: { for: 'headers', env: ['ELASTIC_APM_SECRET_TOKEN'] },
    apiKey: {
      for: 'headers',
      env: ['ELASTIC_API_KEY', 'ELASTIC_APM_API_KEY'],
      need: 'Create an API key for ingest, or give the secret token of the APM server.',
      unless: 'secretToken',
    },
    appName: { for: 'resource', env: ['ELASTIC_APM_SERVICE_NAME'] },
    deployment: { for: 'resource', env: ['ELASTIC_APM_ENVIRONMENT'] },
  },
  url: ({ server }) => tracesBelow(server),
  headers: ({ apiKey, secretToken }) => ({
    authorization: scheme('ApiKey', apiKey) ?? scheme('Bearer', secretToken),
  }),
  resource: ({ appName, deployment }) => ({ 'service.name': appName, 'deployment.environment.name': deployment }),
  // An APM server keeps texts as keywords, and finds none that are longer.
  sink: ({ secretToken, apiKey }) => ({
    temporality: 'delta',
    ...(apiKey === undefined && secretToken !== undefined ? { limits: { maxTextBytes: 1024 } } : {}),
  }),
  refused:
    'Check the key: an API key goes as ELASTIC_API_KEY, the secret token of an APM server as ELASTIC_APM_SECRET_TOKEN.',
};

/** Elastic: the managed OTLP endpoint of Elastic Cloud, an EDOT collector, or an APM server (1,024 bytes a text). */
export function elastic(options: ElasticOptions = {}): Sink {
  return presetSink(ELASTIC, options);
}
