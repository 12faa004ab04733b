import type { Sink } from '@spanprism/core';
import { presetSink, scheme, tracesBelow } from './vendor.ts';
import type { PresetOptions, Vendor } from './vendor.ts';

export interface AxiomOptions extends PresetOptions {
  /** An API token that may ingest; `AXIOM_TOKEN` or `AXIOM_API_TOKEN` unless given. */
  readonly token?: string;
  /** For traces alone; `AXIOM_DATASET` unless given. */
  readonly dataset?: string;
  /** Base URL of another edge; `AXIOM_URL` or `https://api.axiom.co` unless given. */
  readonly server?: string;
}

const AXIOM: Vendor<'token' | 'dataset' | 'server'> = {
  name: 'axiom',
  settings: {
    token: {
      for: 'headers',
      env: ['AXIOM_TOKEN', 'AXIOM_API_TOKEN'],
      need: 'Create an API token with ingest access to the dataset under Settings › API tokens.',
      mistakes: [[/^xapt-/, 'a personal token; an API token begins with xaat-']],
    },
    dataset: { for: 'headers', env: ['AXIOM_DATASET'], need: 'Create a dataset for traces and name it.' },
    server: { for: 'url', env: ['AXIOM_URL'], isUrl: true, fallback: 'https://api.axiom.co' },
  },
  url: ({ server }) => tracesBelow(server),
  headers: ({ token, dataset }) => ({ authorization: scheme('Bearer', token), 'x-axiom-dataset': dataset }),
  refused: 'Check AXIOM_TOKEN (it may ingest into AXIOM_DATASET) and the edge: a token holds for one region only.',
};

/** Axiom, one dataset for traces. */
export function axiom(options: AxiomOptions = {}): Sink {
  return presetSink(AXIOM, options);
}
