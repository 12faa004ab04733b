import type { Sink } from '@spanprism/core';
import { readText } from '@spanprism/core/otlp';
import { presetSink } from './vendor.ts';
import type { PresetOptions, Setting, Vendor } from './vendor.ts';

export interface DatadogOptions extends PresetOptions {
  /** `DD_API_KEY` unless given. */
  readonly apiKey?: string;
  /** `DD_SITE` or `datadoghq.com` unless given. */
  readonly site?: string;
  /** Shows the runs in LLM Observability; true unless given. Government sites have none. */
  readonly llmObs?: boolean;
  /** The application in LLM Observability, and the service; `DD_LLMOBS_ML_APP` or `DD_SERVICE` unless given. */
  readonly mlApp?: string;
  /** Host of a Datadog Agent with its OTLP receiver on, which is sent to in place of the intake; `DD_AGENT_HOST` where there is no key. */
  readonly agentHost?: string;
}

const RESOURCE = {
  mlApp: { for: 'resource', env: ['DD_LLMOBS_ML_APP', 'DD_SERVICE'] },
  deployment: { for: 'resource', env: ['DD_ENV'] },
  version: { for: 'resource', env: ['DD_VERSION'] },
} as const satisfies Readonly<Record<string, Setting>>;

type Of = Readonly<Record<keyof typeof RESOURCE, string | undefined>>;
const resource = ({ mlApp, deployment, version }: Of) => ({
  'service.name': mlApp,
  'deployment.environment.name': deployment,
  'service.version': version,
});

// Datadog refuses cumulative figures.
const sink = () => ({ temporality: 'delta' }) as const;

function intake(llmObs: boolean): Vendor<'apiKey' | 'site' | keyof typeof RESOURCE> {
  return {
    name: 'datadog',
    settings: {
      ...RESOURCE,
      apiKey: {
        for: 'headers',
        env: ['DD_API_KEY'],
        need: 'Create an API key under Organization Settings, or name a Datadog Agent by agentHost.',
        mistakes: [[/^[0-9a-f]{40}$/i, 'an application key, not an API key']],
      },
      site: {
        for: 'url',
        env: ['DD_SITE'],
        fallback: 'datadoghq.com',
        need: 'Give the site alone, e.g. datadoghq.eu or us5.datadoghq.com.',
        mistakes: [[/[/\s]|^app\./, 'an address, not a site']],
      },
    },
    url: ({ site }) => `https://otlp.${site}/v1/traces`,
    headers: ({ apiKey, site }) => ({
      'dd-api-key': apiKey,
      'dd-otlp-source': llmObs && site !== 'ddog-gov.com' ? 'llmobs' : undefined,
    }),
    resource,
    sink,
    refused: 'Check DD_API_KEY and DD_SITE: a key holds for one site only, and an application key is no API key.',
  };
}

const AGENT: Vendor<'agentHost' | keyof typeof RESOURCE> = {
  name: 'datadog',
  settings: { ...RESOURCE, agentHost: { for: 'url', env: ['DD_AGENT_HOST'], fallback: 'localhost' } },
  url: ({ agentHost }) => `http://${agentHost}:4318/v1/traces`,
  resource,
  sink,
  refused: 'A Datadog Agent asks for no key: check what else listens there.',
};

/** Datadog: its intake with LLM Observability, or an Agent beside the program. */
export function datadog(options: DatadogOptions = {}): Sink {
  const { apiKey, agentHost, llmObs = true, environment = process.env } = options;
  const hasKey = (apiKey ?? readText(environment, 'DD_API_KEY')) !== undefined;
  const isAgent = agentHost !== undefined || (!hasKey && readText(environment, 'DD_AGENT_HOST') !== undefined);
  return isAgent ? presetSink(AGENT, options) : presetSink(intake(llmObs), options);
}
