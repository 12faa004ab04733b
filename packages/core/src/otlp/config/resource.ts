import type { Attributes } from '../../model/span.ts';
import { readPairs, readText } from './environment.ts';
import type { Environment } from './environment.ts';

const SERVICE_NAME = 'service.name';
const DEFAULT_SERVICE_NAME = 'claude-agents';

export interface ResourceOptions {
  /** `service.name`; `OTEL_SERVICE_NAME` or `claude-agents` unless given. */
  readonly serviceName?: string;
  /** Further attributes of the resource; they win over `OTEL_RESOURCE_ATTRIBUTES`. */
  readonly resource?: Attributes;
}

/** Who sends: code before environment, the special variable before the general one. */
export function readResource({ serviceName, resource }: ResourceOptions, environment: Environment): Attributes {
  const named = readText(environment, 'OTEL_SERVICE_NAME');
  return {
    [SERVICE_NAME]: DEFAULT_SERVICE_NAME,
    'telemetry.sdk.name': 'spanprism',
    'telemetry.sdk.language': 'nodejs',
    ...readPairs(environment, 'OTEL_RESOURCE_ATTRIBUTES'),
    ...(named === undefined ? {} : { [SERVICE_NAME]: named.value }),
    ...resource,
    ...(serviceName === undefined ? {} : { [SERVICE_NAME]: serviceName }),
  };
}
