import type { Sink } from '@spanprism/core';
import { genaiDialect } from '@spanprism/core/dialect';
import { overlaid } from '../dialects/overlay.ts';
import { WEAVE as OVERLAY } from '../dialects/threads.ts';
import { presetSink } from './vendor.ts';
import type { PresetOptions, Vendor } from './vendor.ts';

export interface WeaveOptions extends PresetOptions {
  /** `WANDB_API_KEY` unless given. */
  readonly apiKey?: string;
  /** Team or user; `WANDB_ENTITY` unless given. */
  readonly entity?: string;
  /** `WANDB_PROJECT` unless given. */
  readonly project?: string;
  /** Of a dedicated or own instance, e.g. `https://acme.wandb.io`; `WANDB_BASE_URL` unless given. */
  readonly server?: string;
}

/** The API of the shared cloud, which is not where its traces go. */
const SHARED = /^https:\/\/(api\.)?wandb\.ai$/;

const VENDOR: Vendor<'apiKey' | 'entity' | 'project' | 'server'> = {
  name: 'weave',
  settings: {
    apiKey: { for: 'headers', env: ['WANDB_API_KEY'], need: 'Copy the key from https://wandb.ai/authorize.' },
    entity: { for: 'resource', env: ['WANDB_ENTITY'], need: 'Give the team or user that the project belongs to.' },
    project: { for: 'resource', env: ['WANDB_PROJECT'], need: 'Name the project that the traces go to.' },
    server: { for: 'url', env: ['WANDB_BASE_URL'], isUrl: true },
  },
  url: ({ server }) =>
    server === undefined || SHARED.test(server)
      ? 'https://trace.wandb.ai/otel/v1/traces'
      : `${server}/traces/otel/v1/traces`,
  headers: ({ apiKey }) => ({ 'wandb-api-key': apiKey }),
  resource: ({ entity, project }) => ({ 'wandb.entity': entity, 'wandb.project': project }),
  dialect: (shape) => overlaid(genaiDialect(shape), OVERLAY),
  refused: 'Check WANDB_API_KEY, and that it may write to WANDB_ENTITY/WANDB_PROJECT on this instance.',
  takesProtobufAlone: true,
};

/** W&B Weave: traces and threads. */
export function weave(options: WeaveOptions = {}): Sink {
  return presetSink(VENDOR, options);
}
