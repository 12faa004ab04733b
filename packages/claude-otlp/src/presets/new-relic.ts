import type { Sink } from '@spanprism/core';
import { presetSink } from './vendor.ts';
import type { PresetOptions, Vendor } from './vendor.ts';

export interface NewRelicOptions extends PresetOptions {
  /** A license key for ingest; `NEW_RELIC_LICENSE_KEY` unless given. */
  readonly licenseKey?: string;
  /** `NEW_RELIC_REGION` unless given, then what the key says. */
  readonly region?: 'us' | 'eu' | 'gov';
  /** The service; `NEW_RELIC_APP_NAME` unless given. */
  readonly appName?: string;
}

const HOSTS: Readonly<Record<string, string>> = {
  us: 'otlp.nr-data.net',
  eu: 'otlp.eu01.nr-data.net',
  gov: 'gov-otlp.nr-data.net',
};

const NEW_RELIC: Vendor<'licenseKey' | 'region' | 'appName'> = {
  name: 'new-relic',
  settings: {
    licenseKey: {
      for: 'headers',
      env: ['NEW_RELIC_LICENSE_KEY'],
      need: 'Create a license key of type INGEST - LICENSE under API keys.',
      mistakes: [
        [/^NRAK-/, 'a user key, which sends nothing'],
        [/^NRII-/, 'an insert key, which sends no traces'],
      ],
    },
    region: { for: 'url', env: ['NEW_RELIC_REGION'], words: ['us', 'eu', 'gov'] },
    appName: { for: 'resource', env: ['NEW_RELIC_APP_NAME'] },
  },
  url: ({ region, licenseKey }) => `https://${HOSTS[region ?? regionOf(licenseKey)]}/v1/traces`,
  headers: ({ licenseKey }) => ({ 'api-key': licenseKey }),
  resource: ({ appName }) => ({ 'service.name': appName }),
  sink: () => ({
    temporality: 'delta',
    maxBatchBytes: 1_000_000,
    limits: { maxTextBytes: 4095, maxItems: 64 },
  }),
  refused: 'Check NEW_RELIC_LICENSE_KEY: a license key for ingest, and of the region (us or eu) that it is sent to.',
};

/** Keys of the European region say so. */
function regionOf(licenseKey = ''): 'us' | 'eu' {
  return licenseKey.startsWith('eu') ? 'eu' : 'us';
}

/** New Relic. Limits: 4,095 bytes a text, 64 items a list, 1 MB a request. */
export function newRelic(options: NewRelicOptions = {}): Sink {
  return presetSink(NEW_RELIC, options);
}
