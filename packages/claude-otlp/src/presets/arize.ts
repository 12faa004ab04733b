import type { Sink } from '@spanprism/core';
import { openinferenceDialect } from '../dialects/openinference.ts';
import { presetSink, scheme, tracesBelow } from './vendor.ts';
import type { PresetOptions, Vendor } from './vendor.ts';

export interface ArizeOptions extends PresetOptions {
  /** `ARIZE_SPACE_ID` unless given. */
  readonly spaceId?: string;
  /** `ARIZE_API_KEY` unless given. */
  readonly apiKey?: string;
  /** `ARIZE_PROJECT_NAME` or `claude-agents` unless given. */
  readonly project?: string;
  /** `us` unless given. */
  readonly region?: 'us' | 'eu';
  /** Base URL; `ARIZE_COLLECTOR_ENDPOINT` unless given, then that of the region. */
  readonly server?: string;
}

export interface PhoenixOptions extends PresetOptions {
  /** Base URL, of the cloud with the space; `PHOENIX_COLLECTOR_ENDPOINT` or `http://localhost:6006` unless given. */
  readonly server?: string;
  /** `PHOENIX_API_KEY` unless given; a Phoenix of your own may want none. */
  readonly apiKey?: string;
  /** `PHOENIX_PROJECT_NAME` unless given, else Phoenix's own `default`. */
  readonly project?: string;
}

/** By which both tell projects apart. */
const PROJECT = 'openinference.project.name';

const HOSTS: Readonly<Record<string, string>> = {
  us: 'https://otlp.arize.com/v1',
  eu: 'https://otlp.eu-west-1a.arize.com/v1',
};

const ARIZE: Vendor<'spaceId' | 'apiKey' | 'project' | 'region' | 'server'> = {
  name: 'arize',
  settings: {
    spaceId: { for: 'headers', env: ['ARIZE_SPACE_ID'], need: 'Copy the space id from Settings › API keys.' },
    apiKey: {
      for: 'headers',
      env: ['ARIZE_API_KEY'],
      need: 'Create an API key of the space under Settings › API keys.',
    },
    project: { for: 'resource', env: ['ARIZE_PROJECT_NAME'], fallback: 'claude-agents' },
    region: { for: 'url', words: ['us', 'eu'], fallback: 'us' },
    server: { for: 'url', env: ['ARIZE_COLLECTOR_ENDPOINT'], isUrl: true },
  },
  url: ({ server, region = 'us' }) => tracesBelow(server ?? HOSTS[region]),
  headers: ({ spaceId, apiKey }) => ({ space_id: spaceId, api_key: apiKey }),
  resource: ({ project }) => ({ [PROJECT]: project }),
  dialect: openinferenceDialect,
  refused: 'Check ARIZE_SPACE_ID and ARIZE_API_KEY: both of one space, and of the region that is sent to.',
};

const PHOENIX: Vendor<'server' | 'apiKey' | 'project'> = {
  name: 'phoenix',
  settings: {
    server: { for: 'url', env: ['PHOENIX_COLLECTOR_ENDPOINT'], isUrl: true, fallback: 'http://localhost:6006' },
    apiKey: { for: 'headers', env: ['PHOENIX_API_KEY'] },
    project: { for: 'resource', env: ['PHOENIX_PROJECT_NAME'] },
  },
  url: ({ server }) => tracesBelow(server),
  headers: ({ apiKey }) => ({ authorization: scheme('Bearer', apiKey) }),
  resource: ({ project }) => ({ [PROJECT]: project }),
  dialect: openinferenceDialect,
  refused:
    'Check PHOENIX_API_KEY, and for the cloud that PHOENIX_COLLECTOR_ENDPOINT names the space: https://app.phoenix.arize.com/s/<space>.',
  takesProtobufAlone: true,
};

/** Arize AX, in OpenInference's words. */
export function arize(options: ArizeOptions = {}): Sink {
  return presetSink(ARIZE, options);
}

/** Phoenix, your own or in the cloud, in OpenInference's words. */
export function phoenix(options: PhoenixOptions = {}): Sink {
  return presetSink(PHOENIX, options);
}
