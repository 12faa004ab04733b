import type { Environment } from '@spanprism/core/otlp';

/** A backend whose keys hold for one region only. */
export interface Regions {
  /** Of the sink. */
  readonly name: string;
  /** Where the sink looks for its base URL; the first is the one to advise. */
  readonly variables: readonly string[];
  readonly bases: Readonly<Record<string, string>>;
}

export const REGIONS: readonly Regions[] = [
  {
    name: 'langfuse',
    variables: ['LANGFUSE_BASE_URL', 'LANGFUSE_BASEURL', 'LANGFUSE_HOST'],
    bases: {
      EU: 'https://cloud.langfuse.com',
      US: 'https://us.cloud.langfuse.com',
      Japan: 'https://jp.cloud.langfuse.com',
      HIPAA: 'https://hipaa.cloud.langfuse.com',
    },
  },
  {
    name: 'logfire',
    variables: ['LOGFIRE_BASE_URL'],
    bases: { US: 'https://logfire-us.pydantic.dev', EU: 'https://logfire-eu.pydantic.dev' },
  },
  {
    name: 'honeycomb',
    variables: ['HONEYCOMB_API_ENDPOINT', 'HONEYCOMB_TRACES_ENDPOINT'],
    bases: { US: 'https://api.honeycomb.io', EU: 'https://api.eu1.honeycomb.io' },
  },
  {
    name: 'langsmith',
    variables: ['LANGSMITH_ENDPOINT', 'LANGCHAIN_ENDPOINT'],
    bases: { US: 'https://api.smith.langchain.com', EU: 'https://eu.api.smith.langchain.com' },
  },
];

/** A region that the key was not refused by the sink for, as the environment would name it. */
export interface OtherRegion {
  readonly region: string;
  readonly variable: string;
  readonly base: string;
  readonly env: Environment;
}

/** The vendor's other regions. None where the user sends to a server of his own: no key goes to strangers. */
export function otherRegions(name: string, sentTo: URL, { env, table }: Known): readonly OtherRegion[] {
  const regions = table.find((one) => one.name === name);
  const isVendors = Object.values(regions?.bases ?? {}).some((base) => new URL(base).host === sentTo.host);
  if (regions === undefined || !isVendors) return [];
  const [variable = ''] = regions.variables;
  const bare = Object.fromEntries(Object.entries(env).filter(([key]) => !regions.variables.includes(key)));
  return Object.entries(regions.bases)
    .filter(([, base]) => new URL(base).host !== sentTo.host)
    .map(([region, base]) => ({ region, variable, base, env: { ...bare, [variable]: base } }));
}

interface Known {
  readonly env: Environment;
  readonly table: readonly Regions[];
}
