import type { Sink } from '@spanprism/core';
import { genaiDialect } from '@spanprism/core/dialect';
import { overlaid } from '../dialects/overlay.ts';
import { OPIK as OVERLAY } from '../dialects/threads.ts';
import { presetSink } from './vendor.ts';
import type { PresetOptions, Vendor } from './vendor.ts';

export interface OpikOptions extends PresetOptions {
  /** `OPIK_API_KEY` unless given; an Opik of your own wants none. */
  readonly apiKey?: string;
  /** `OPIK_WORKSPACE` unless given. */
  readonly workspace?: string;
  /** `OPIK_PROJECT_NAME` unless given, else Opik's own default. */
  readonly project?: string;
  /** Base URL of the API of one of your own, e.g. `http://localhost:5173/api`; `OPIK_URL_OVERRIDE` unless given. */
  readonly server?: string;
}

const VENDOR: Vendor<'server' | 'apiKey' | 'workspace' | 'project'> = {
  name: 'opik',
  settings: {
    server: { for: 'url', env: ['OPIK_URL_OVERRIDE'], isUrl: true },
    apiKey: {
      for: 'headers',
      env: ['OPIK_API_KEY'],
      need: 'Create an API key in the account settings of Comet.',
      unless: 'server',
      mistakes: [[/^Bearer /i, 'a whole header; Opik takes the key as it is']],
    },
    workspace: {
      for: 'headers',
      env: ['OPIK_WORKSPACE'],
      need: 'It is the name beside the logo in Comet.',
      unless: 'server',
    },
    project: { for: 'headers', env: ['OPIK_PROJECT_NAME'] },
  },
  url: ({ server }) => `${server ?? 'https://www.comet.com/opik/api'}/v1/private/otel/v1/traces`,
  headers: ({ apiKey, workspace, project }) => ({
    authorization: apiKey,
    'comet-workspace': workspace,
    projectname: project,
  }),
  dialect: (shape) => overlaid(genaiDialect(shape), OVERLAY),
  refused:
    'Check OPIK_API_KEY and OPIK_WORKSPACE: the key as it is, without Bearer, of an account that is in the workspace.',
};

/** Opik, in Comet's cloud or your own. */
export function opik(options: OpikOptions = {}): Sink {
  return presetSink(VENDOR, options);
}
