import { checkUrl, pickGiven, readFlag, readOption, readText, wrongValue } from '@spanprism/core/otlp';
import type { Environment, OtlpTraceSinkOptions, Sourced } from '@spanprism/core/otlp';

export interface LangfuseConfigOptions {
  /** `pk-lf-…`; `LANGFUSE_PUBLIC_KEY` unless given. */
  readonly publicKey?: string;
  /** `sk-lf-…`; `LANGFUSE_SECRET_KEY` unless given. */
  readonly secretKey?: string;
  /** The region, or your own server; `LANGFUSE_BASE_URL` or `https://cloud.langfuse.com` (EU) unless given. */
  readonly baseUrl?: string;
  /** Langfuse's environment, such as `staging`; `LANGFUSE_TRACING_ENVIRONMENT` unless given. */
  readonly environment?: string;
  /** Of your program; `LANGFUSE_RELEASE` unless given. */
  readonly release?: string;
}

export type LangfuseConfig = Pick<OtlpTraceSinkOptions, 'url' | 'headers' | 'resource' | 'fixes'>;

const CLOUD = { value: 'https://cloud.langfuse.com', from: 'the default, which is the EU' };

/** Code before environment, defaults last; undefined where the environment says that nothing is to be sent. */
export function readLangfuseConfig(options: LangfuseConfigOptions, env: Environment): LangfuseConfig | undefined {
  const isOff = /^(false|0)$/i.test(readText(env, 'LANGFUSE_TRACING_ENABLED')?.value ?? '');
  if (isOff || readFlag(env, 'OTEL_SDK_DISABLED')) return undefined;
  const said = (option: keyof LangfuseConfigOptions, ...variables: readonly string[]) =>
    readOption(options, option, { environment: env, variables });
  const publicKey = checkKey('public', said('publicKey', 'LANGFUSE_PUBLIC_KEY'));
  const secretKey = checkKey('secret', said('secretKey', 'LANGFUSE_SECRET_KEY'));
  // The other names are those of Langfuse's older SDKs.
  const base = checkBase(said('baseUrl', 'LANGFUSE_BASE_URL', 'LANGFUSE_BASEURL', 'LANGFUSE_HOST') ?? CLOUD);
  const told = {
    'langfuse.environment': checkEnvironment(said('environment', 'LANGFUSE_TRACING_ENVIRONMENT')),
    'langfuse.release': said('release', 'LANGFUSE_RELEASE')?.value,
  };
  return {
    url: `${base.value.replace(/\/+$/, '')}/api/public/otel/v1/traces`,
    headers: {
      authorization: `Basic ${Buffer.from(`${publicKey.value}:${secretKey.value}`).toString('base64')}`,
      // Written at once; without it the cloud takes minutes.
      'x-langfuse-ingestion-version': '4',
    },
    resource: pickGiven(told, ['langfuse.environment', 'langfuse.release']),
    fixes: fixesFor(base, publicKey),
  };
}

/** Keys are never shown. */
function checkKey(which: 'public' | 'secret', key: Sourced<string> | undefined): Sourced<string> {
  const variable = `LANGFUSE_${which.toUpperCase()}_KEY`;
  const { value = '', from = `env ${variable}` } = key ?? {};
  const other = which === 'public' ? 'secret' : 'public';
  const fix = `Set ${variable} or the option ${which}Key, from Settings → API Keys of your Langfuse project.`;
  const wrong = (problem: string) => wrongValue(problem, { from, fix });
  if (value === '') throw wrong(`Langfuse has no ${which} key`);
  if (value.startsWith(`${other.charAt(0)}k-lf-`)) throw wrong(`the ${which} key is a ${other} one`);
  if (/[^\x21-\x7e]|["']/.test(value)) throw wrong(`the ${which} key has a blank, a quote or what else no key has`);
  return { value, from };
}

function checkBase(base: Sourced<string>): Sourced<string> {
  if (!/\/(api\/public|v1\/traces)\b/.test(new URL(checkUrl(base).value).pathname)) return base;
  const fix = 'Give where Langfuse itself is, e.g. https://us.cloud.langfuse.com; the path of its API is appended.';
  throw wrongValue('the base URL has the path of the API already', { from: base.from, fix });
}

/** What it does not take, Langfuse puts under `default` without a word. */
function checkEnvironment(environment: Sourced<string> | undefined): string | undefined {
  if (environment === undefined || /^(?!langfuse)[a-z0-9_-]{1,40}$/.test(environment.value)) return environment?.value;
  const fix = 'Use up to 40 lower-case letters, digits, - and _, and do not begin with "langfuse".';
  throw wrongValue(`"${environment.value}" is no environment that Langfuse takes`, { from: environment.from, fix });
}

function fixesFor({ value, from }: Sourced<string>, publicKey: Sourced<string>): Readonly<Record<string, string>> {
  const place = `${new URL(value).origin} (from ${from})`;
  const keys =
    `Check the keys (the public one is from ${publicKey.from}): both must be of one project in the region at ${place}. ` +
    'Keys of another region are unknown there: set LANGFUSE_BASE_URL to theirs.';
  const server = `Is Langfuse at ${place}, and 3.22 or newer? Older servers take no OTLP.`;
  return { 401: keys, 403: keys, 404: server, 405: server, ECONNREFUSED: `Is Langfuse at ${place}?` };
}
