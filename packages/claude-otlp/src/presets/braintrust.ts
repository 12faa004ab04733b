import type { Sink } from '@spanprism/core';
import { genaiDialect } from '@spanprism/core/dialect';
import { BRAINTRUST as OVERLAY } from '../dialects/braintrust.ts';
import { overlaid } from '../dialects/overlay.ts';
import { presetSink, scheme } from './vendor.ts';
import type { PresetOptions, Vendor } from './vendor.ts';

export interface BraintrustOptions extends PresetOptions {
  /** `BRAINTRUST_API_KEY` unless given. */
  readonly apiKey?: string;
  /** Where the logs go, by name; `BRAINTRUST_PROJECT` unless given. */
  readonly project?: string;
  /** In its place `project_id:…`, `project_name:…` or `experiment_id:…`; `BRAINTRUST_PARENT` unless given. */
  readonly parent?: string;
  /** `us` unless given. */
  readonly region?: 'us' | 'eu';
  /** Base URL of a data plane of your own; `BRAINTRUST_API_URL` unless given. */
  readonly server?: string;
}

const HOSTS: Readonly<Record<string, string>> = {
  us: 'https://api.braintrust.dev',
  eu: 'https://api-eu.braintrust.dev',
};

const VENDOR: Vendor<'apiKey' | 'project' | 'parent' | 'region' | 'server'> = {
  name: 'braintrust',
  settings: {
    apiKey: {
      for: 'headers',
      env: ['BRAINTRUST_API_KEY'],
      need: 'Create an API key in the settings of the organization.',
    },
    project: { for: 'headers', env: ['BRAINTRUST_PROJECT'] },
    parent: {
      for: 'headers',
      env: ['BRAINTRUST_PARENT'],
      need: 'Name the project that the logs go to, by project or as project_name:<name>.',
      unless: 'project',
      mistakes: [
        [/^(?!(project_id|project_name|experiment_id):)/, 'no parent, which is project_name:<name> or the like'],
      ],
    },
    region: { for: 'url', words: ['us', 'eu'], fallback: 'us' },
    server: { for: 'url', env: ['BRAINTRUST_API_URL'], isUrl: true },
  },
  url: ({ server, region = 'us' }) => `${server ?? HOSTS[region]}/otel/v1/traces`,
  headers: ({ apiKey, parent, project }) => ({
    authorization: scheme('Bearer', apiKey),
    'x-bt-parent': parent ?? (project === undefined ? undefined : `project_name:${project}`),
  }),
  dialect: (shape) => overlaid(genaiDialect(shape), OVERLAY),
  refused:
    'Check BRAINTRUST_API_KEY and BRAINTRUST_PARENT: both of one organization, and of the region that is sent to.',
};

/** Braintrust, in the cloud or with a data plane of your own. */
export function braintrust(options: BraintrustOptions = {}): Sink {
  return presetSink(VENDOR, options);
}
