import type { Sink } from '@spanprism/core';
import { genaiDialect } from '@spanprism/core/dialect';
import { LANGSMITH as OVERLAY } from '../dialects/langsmith.ts';
import { overlaid } from '../dialects/overlay.ts';
import { presetSink } from './vendor.ts';
import type { PresetOptions, Vendor } from './vendor.ts';

export interface LangsmithOptions extends PresetOptions {
  /** `LANGSMITH_API_KEY` or `LANGCHAIN_API_KEY` unless given. */
  readonly apiKey?: string;
  /** `LANGSMITH_PROJECT` or `LANGCHAIN_PROJECT` unless given, else LangSmith's own `default`. */
  readonly project?: string;
  /** `us` unless given. */
  readonly region?: 'us' | 'eu';
  /** Base URL of the API, of one of your own with `/api/v1`; `LANGSMITH_ENDPOINT` or `LANGCHAIN_ENDPOINT` unless given. */
  readonly server?: string;
}

const HOSTS: Readonly<Record<string, string>> = {
  us: 'https://api.smith.langchain.com',
  eu: 'https://eu.api.smith.langchain.com',
};

const VENDOR: Vendor<'apiKey' | 'project' | 'region' | 'server'> = {
  name: 'langsmith',
  settings: {
    apiKey: {
      for: 'headers',
      env: ['LANGSMITH_API_KEY', 'LANGCHAIN_API_KEY'],
      need: 'Create an API key under Settings › API Keys.',
      mistakes: [[/^(sk-|ls__$)/, 'no key of LangSmith, which begins with lsv2_']],
    },
    project: { for: 'headers', env: ['LANGSMITH_PROJECT', 'LANGCHAIN_PROJECT'] },
    region: { for: 'url', words: ['us', 'eu'], fallback: 'us' },
    server: { for: 'url', env: ['LANGSMITH_ENDPOINT', 'LANGCHAIN_ENDPOINT'], isUrl: true },
  },
  url: ({ server, region = 'us' }) => `${server ?? HOSTS[region]}/otel/v1/traces`,
  headers: ({ apiKey, project }) => ({ 'x-api-key': apiKey, 'langsmith-project': project }),
  dialect: (shape) => overlaid(genaiDialect(shape), OVERLAY),
  refused: 'Check LANGSMITH_API_KEY: a key of this workspace, and of the region (us or eu) that it is sent to.',
};

/** LangSmith, in the cloud or your own. */
export function langsmith(options: LangsmithOptions = {}): Sink {
  return presetSink(VENDOR, options);
}
