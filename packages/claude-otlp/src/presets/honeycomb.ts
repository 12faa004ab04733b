import type { Sink } from '@spanprism/core';
import { presetSink, tracesBelow } from './vendor.ts';
import type { PresetOptions, Vendor } from './vendor.ts';

export interface HoneycombOptions extends PresetOptions {
  /** `HONEYCOMB_API_KEY` unless given. */
  readonly apiKey?: string;
  /** Of Classic environments alone, others name it after the service; `HONEYCOMB_DATASET` unless given. */
  readonly dataset?: string;
  /** `HONEYCOMB_METRICS_DATASET` unless given. With it metrics are sent as well. */
  readonly metricsDataset?: string;
  /** `us` unless given. */
  readonly region?: 'us' | 'eu';
  /** Base URL; `HONEYCOMB_TRACES_ENDPOINT` or `HONEYCOMB_API_ENDPOINT` unless given, then that of the region. */
  readonly apiEndpoint?: string;
}

const HOSTS: Readonly<Record<string, string>> = {
  us: 'https://api.honeycomb.io',
  eu: 'https://api.eu1.honeycomb.io',
};

/** Keys of Classic environments, where the sender names the dataset. */
const CLASSIC = /^([0-9a-f]{32}$|hcaic_)/;

const HONEYCOMB: Vendor<'apiKey' | 'dataset' | 'metricsDataset' | 'region' | 'apiEndpoint'> = {
  name: 'honeycomb',
  settings: {
    apiKey: {
      for: 'headers',
      env: ['HONEYCOMB_API_KEY', 'HONEYCOMB_TRACES_APIKEY'],
      need: 'Create an ingest key in the settings of the environment, under API Keys.',
      mistakes: [[/^hca?mk_/, 'a management key, which sends nothing']],
    },
    dataset: { for: 'headers', env: ['HONEYCOMB_DATASET'], fallback: 'claude-agents' },
    metricsDataset: { for: 'headers', env: ['HONEYCOMB_METRICS_DATASET'] },
    region: { for: 'url', words: ['us', 'eu'], fallback: 'us' },
    apiEndpoint: { for: 'url', env: ['HONEYCOMB_TRACES_ENDPOINT', 'HONEYCOMB_API_ENDPOINT'], isUrl: true },
  },
  url: ({ apiEndpoint, region = 'us' }) => tracesBelow(apiEndpoint ?? HOSTS[region]),
  // Beyond Classic only metrics go by the dataset, so that one header serves both signals.
  headers: ({ apiKey, dataset, metricsDataset }) => ({
    'x-honeycomb-team': apiKey,
    'x-honeycomb-dataset': CLASSIC.test(apiKey ?? '') ? dataset : metricsDataset,
  }),
  sink: ({ metricsDataset }) => ({
    metrics: metricsDataset !== undefined,
    limits: { maxTextBytes: 64_000, maxSpanBytes: 100_000, maxAttributes: 2000 },
  }),
  refused:
    'Check HONEYCOMB_API_KEY: an ingest key of this environment, and of the region (us or eu) that it is sent to.',
};

/** Honeycomb, any environment. Limits: 64 kB a text, 100 kB a span. */
export function honeycomb(options: HoneycombOptions = {}): Sink {
  return presetSink(HONEYCOMB, options);
}
