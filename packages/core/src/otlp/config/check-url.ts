import type { Sourced } from './environment.ts';
import { wrongValue } from './wrong-value.ts';

/** Throws a `ConfigurationError` unless it can be posted to. The value itself is not shown: people put keys into URLs. */
export function checkUrl(endpoint: Sourced<string>): Sourced<string> {
  const protocol = URL.canParse(endpoint.value) ? new URL(endpoint.value).protocol : undefined;
  if (protocol === 'http:' || protocol === 'https:') return endpoint;
  const fix = 'It must begin with http:// or https://, e.g. http://localhost:4318.';
  throw wrongValue('the endpoint is no URL that can be posted to', { from: endpoint.from, fix });
}
