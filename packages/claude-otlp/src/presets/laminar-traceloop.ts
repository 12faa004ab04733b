import type { Sink } from '@spanprism/core';
import { genaiDialect } from '@spanprism/core/dialect';
import { LAMINAR } from '../dialects/laminar.ts';
import { overlaid } from '../dialects/overlay.ts';
import { TRACELOOP } from '../dialects/traceloop.ts';
import { presetSink, scheme, tracesBelow } from './vendor.ts';
import type { PresetOptions, Vendor } from './vendor.ts';

export interface LaminarOptions extends PresetOptions {
  /** `LMNR_PROJECT_API_KEY` unless given. */
  readonly apiKey?: string;
  /** Base URL of one of your own; `LMNR_BASE_URL` or `https://api.lmnr.ai` unless given. */
  readonly server?: string;
}

export interface TraceloopOptions extends PresetOptions {
  /** `TRACELOOP_API_KEY` unless given. */
  readonly apiKey?: string;
  /** `TRACELOOP_BASE_URL` or `https://api.traceloop.com` unless given. */
  readonly server?: string;
}

const LAMINAR_VENDOR: Vendor<'apiKey' | 'server'> = {
  name: 'laminar',
  settings: {
    apiKey: {
      for: 'headers',
      env: ['LMNR_PROJECT_API_KEY'],
      need: 'Create a project API key in the settings of the project.',
    },
    server: { for: 'url', env: ['LMNR_BASE_URL'], isUrl: true, fallback: 'https://api.lmnr.ai' },
  },
  url: ({ server }) => tracesBelow(server),
  headers: ({ apiKey }) => ({ authorization: scheme('Bearer', apiKey) }),
  dialect: (shape) => overlaid(genaiDialect(shape), LAMINAR),
  refused: 'Check LMNR_PROJECT_API_KEY: the key of the project, not one of a model provider.',
};

const TRACELOOP_VENDOR: Vendor<'apiKey' | 'server'> = {
  name: 'traceloop',
  settings: {
    apiKey: {
      for: 'headers',
      env: ['TRACELOOP_API_KEY'],
      need: 'Create an API key in the settings of the environment.',
    },
    server: { for: 'url', env: ['TRACELOOP_BASE_URL'], isUrl: true, fallback: 'https://api.traceloop.com' },
  },
  url: ({ server }) => tracesBelow(server),
  headers: ({ apiKey }) => ({ authorization: scheme('Bearer', apiKey) }),
  dialect: (shape) => overlaid(genaiDialect(shape), TRACELOOP),
  refused: 'Check TRACELOOP_API_KEY: a key of the environment that the traces are meant for.',
};

/** Laminar, in the cloud or your own. */
export function laminar(options: LaminarOptions = {}): Sink {
  return presetSink(LAMINAR_VENDOR, options);
}

/** Traceloop, and whatever else reads OpenLLMetry. */
export function traceloop(options: TraceloopOptions = {}): Sink {
  return presetSink(TRACELOOP_VENDOR, options);
}
