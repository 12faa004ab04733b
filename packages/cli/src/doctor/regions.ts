import type { Sink } from '@spanprism/core';
import type { Environment } from '@spanprism/core/otlp';

/** A backend whose keys hold for one region only. */
export interface Regions {
  /** Of the sink. */
  readonly name: string;
  /** Where the sink looks for its base URL; the first is the one to advise. */
  readonly variables: readonly string[];
  readonly bases: Readonly<Record<string, string>>;
  /** Its sink, in an environment that names another base. */
  readonly make: (env: Environment) => Promise<Sink>;
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
    make: async (env) => (await import('@spanprism/claude-langfuse')).langfuseSink({ env }),
  },
  {
    name: 'logfire',
    variables: ['LOGFIRE_BASE_URL'],
    bases: { US: 'https://logfire-us.pydantic.dev', EU: 'https://logfire-eu.pydantic.dev' },
    make: async (env) => (await import('@spanprism/claude-logfire')).logfireSink({ environment: env }),
  },
  {
    name: 'honeycomb',
    variables: ['HONEYCOMB_API_ENDPOINT', 'HONEYCOMB_TRACES_ENDPOINT'],
    bases: { US: 'https://api.honeycomb.io', EU: 'https://api.eu1.honeycomb.io' },
    make: async (env) => (await import('@spanprism/claude-otlp')).honeycomb({ environment: env }),
  },
  {
    name: 'langsmith',
    variables: ['LANGSMITH_ENDPOINT', 'LANGCHAIN_ENDPOINT'],
    bases: { US: 'https://api.smith.langchain.com', EU: 'https://eu.api.smith.langchain.com' },
    make: async (env) => (await import('@spanprism/claude-otlp')).langsmith({ environment: env }),
  },
];

/** A region that has not been asked yet, and how to send there. */
export interface OtherRegion {
  readonly region: string;
  readonly variable: string;
  readonly base: string;
  readonly sink: () => Promise<Sink>;
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
    .map(([region, base]) => {
      const sink = (): Promise<Sink> => regions.make({ ...bare, [variable]: base });
      return { region, variable, base, sink };
    });
}

interface Known {
  readonly env: Environment;
  readonly table: readonly Regions[];
}
