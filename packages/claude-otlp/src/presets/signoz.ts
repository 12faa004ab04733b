import type { Sink } from '@spanprism/core';
import { presetSink, tracesBelow } from './vendor.ts';
import type { PresetOptions, Vendor } from './vendor.ts';

export interface SignozOptions extends PresetOptions {
  /** Of SigNoz Cloud; `SIGNOZ_REGION` unless given. */
  readonly region?: 'us' | 'eu' | 'in';
  /** Of SigNoz Cloud; `SIGNOZ_INGESTION_KEY` unless given. */
  readonly ingestionKey?: string;
  /** Base URL of one of your own, e.g. `http://localhost:4318`; `SIGNOZ_ENDPOINT` unless given. */
  readonly server?: string;
}

const SIGNOZ: Vendor<'server' | 'region' | 'ingestionKey'> = {
  name: 'signoz',
  settings: {
    server: { for: 'url', env: ['SIGNOZ_ENDPOINT'], isUrl: true },
    region: {
      for: 'url',
      env: ['SIGNOZ_REGION'],
      words: ['us', 'eu', 'in'],
      need: 'Give the region of the SigNoz Cloud account (us, eu or in), or the URL of your own SigNoz as server.',
      unless: 'server',
    },
    ingestionKey: {
      for: 'headers',
      env: ['SIGNOZ_INGESTION_KEY'],
      need: 'Create an ingestion key under Settings › Ingestion.',
      unless: 'server',
    },
  },
  url: ({ server, region }) => tracesBelow(server ?? `https://ingest.${region}.signoz.cloud:443`),
  headers: ({ ingestionKey }) => ({ 'signoz-ingestion-key': ingestionKey }),
  refused: 'Check SIGNOZ_INGESTION_KEY and SIGNOZ_REGION: a key holds for one region only.',
};

/** SigNoz, in the cloud or your own. */
export function signoz(options: SignozOptions = {}): Sink {
  return presetSink(SIGNOZ, options);
}
