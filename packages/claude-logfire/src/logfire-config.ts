import { checkUrl, readFlag, readOption, readSampler, readText, wrongValue } from '@spanprism/core/otlp';
import type { Environment, Sampler, SamplerOptions, Sourced } from '@spanprism/core/otlp';
import type { Attributes, Diag } from '@spanprism/core';

export interface LogfireConfigOptions {
  /** A write token of the project; `LOGFIRE_TOKEN` unless given. */
  readonly token?: string;
  /** Where Logfire is, as for a self-hosted one; `LOGFIRE_BASE_URL`, else what the region in the token says, unless given. */
  readonly baseUrl?: string;
  /** `service.name`; `LOGFIRE_SERVICE_NAME`, `OTEL_SERVICE_NAME` or `claude-agents` unless given. */
  readonly serviceName?: string;
  /** `service.version`; `LOGFIRE_SERVICE_VERSION` unless given. */
  readonly serviceVersion?: string;
  /** `production`, `staging` …; `LOGFIRE_ENVIRONMENT` unless given. */
  readonly deploymentEnvironment?: string;
  /** Further attributes of the resource. */
  readonly resource?: Attributes;
  /** Whole traces are kept or not; `LOGFIRE_TRACE_SAMPLE_RATE`, else the standard variables, unless given. */
  readonly sampler?: SamplerOptions;
}

export interface LogfireConfig {
  readonly token: string;
  /** The full URL for traces. */
  readonly url: string;
  readonly serviceName: string | undefined;
  readonly resource: Attributes;
  readonly sampler: Sampler;
  /** What a 401 most likely means here. */
  readonly keyFix: string;
}

/** Code before environment, defaults last; undefined where the environment says that nothing is to be sent. */
export function readLogfireConfig(
  options: LogfireConfigOptions,
  environment: Environment,
  diag: Diag,
): LogfireConfig | undefined {
  const token = readOption(options, 'token', { environment, variables: ['LOGFIRE_TOKEN'] });
  if (isSwitchedOff(environment, token !== undefined)) return undefined;
  if (token === undefined) throw noToken();
  checkToken(token);
  const base = baseOf(options, environment, { token, diag });
  const version = options.serviceVersion ?? readText(environment, 'LOGFIRE_SERVICE_VERSION')?.value;
  const stage = options.deploymentEnvironment ?? readText(environment, 'LOGFIRE_ENVIRONMENT')?.value;
  return {
    token: token.value,
    url: `${base.value.replace(/\/+$/, '')}/v1/traces`,
    serviceName: options.serviceName ?? readText(environment, 'LOGFIRE_SERVICE_NAME')?.value,
    resource: {
      ...(version === undefined ? {} : { 'service.version': version }),
      ...(stage === undefined ? {} : { 'deployment.environment.name': stage }),
      ...options.resource,
    },
    sampler: readSampler(options.sampler, environment, 'LOGFIRE_TRACE_SAMPLE_RATE'),
    keyFix:
      `Check the token (from ${token.from}): it must be a write token of this project that has not been revoked, and ` +
      `one of this region; ${base.value} was chosen by ${base.from}.`,
  };
}

const OFF: ReadonlySet<string> = new Set(['false', 'f', '0']);

/** Logfire's own switch, with the values that its SDKs know. */
function isSwitchedOff(environment: Environment, hasToken: boolean): boolean {
  if (readFlag(environment, 'OTEL_SDK_DISABLED')) return true;
  const wish = readText(environment, 'LOGFIRE_SEND_TO_LOGFIRE')?.value.toLowerCase();
  return wish !== undefined && (OFF.has(wish) || (wish === 'if-token-present' && !hasToken));
}

function noToken(): Error {
  const fix =
    'Set LOGFIRE_TOKEN to a write token of your project (Settings → Write tokens), or pass the option token; ' +
    'LOGFIRE_SEND_TO_LOGFIRE=if-token-present makes it optional.';
  return wrongValue('Logfire has no token', { from: 'env LOGFIRE_TOKEN', fix });
}

/** The token itself is never shown. */
function checkToken({ value, from }: Sourced<string>): void {
  if (/^bearer\s/i.test(value)) {
    throw wrongValue('the token begins with "Bearer"', {
      from,
      fix: 'Logfire takes the token alone: leave the word out.',
    });
  }
  if (value === '' || /[^\x21-\x7e]|["']/.test(value)) {
    const fix = 'Look for quotes, blanks or line breaks that were copied along with it.';
    throw wrongValue('the token is empty, or has a character that no token has', { from, fix });
  }
}

const HOSTS: Readonly<Record<string, string>> = {
  us: 'https://logfire-us.pydantic.dev',
  eu: 'https://logfire-eu.pydantic.dev',
  stagingus: 'https://logfire-us.pydantic.info',
  stagingeu: 'https://logfire-eu.pydantic.info',
};

/** Tokens from before there were regions do not name one, and are of the US. */
function regionOf(token: string): string {
  return /^pylf_v\d+_([a-z]+)_/.exec(token)?.[1] ?? 'us';
}

interface Known {
  readonly token: Sourced<string>;
  readonly diag: Diag;
}

function baseOf(options: LogfireConfigOptions, environment: Environment, { token, diag }: Known): Sourced<string> {
  const region = regionOf(token.value);
  const host = HOSTS[region];
  const given = readOption(options, 'baseUrl', { environment, variables: ['LOGFIRE_BASE_URL'] });
  if (given === undefined) {
    if (host !== undefined) return { value: host, from: `the region "${region}" of the token` };
    diag(
      'warn',
      `the token (from ${token.from}) is of the region "${region}", which is not known here: sending to the US. Set LOGFIRE_BASE_URL.`,
    );
    return { value: HOSTS['us'] ?? '', from: 'the default' };
  }
  checkBase(given);
  const other = Object.keys(HOSTS).find((name) => name !== region && HOSTS[name] === new URL(given.value).origin);
  if (other !== undefined) {
    diag(
      'warn',
      `the token (from ${token.from}) is of the region "${region}", but ${given.from} says "${other}", which will not take it. Leave one of them out.`,
    );
  }
  return given;
}

function checkBase({ value, from }: Sourced<string>): void {
  const { pathname } = new URL(checkUrl({ value, from }).value);
  if (!/\/v1\/\w+\/?$/.test(pathname)) return;
  const fix = 'It must be the base alone, e.g. https://logfire-eu.pydantic.dev; /v1/traces is appended.';
  throw wrongValue('the base URL ends in the path of a signal', { from, fix });
}
