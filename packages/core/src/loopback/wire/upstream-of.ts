import type { TlsFiles } from './secure-context.ts';
import type { ProxyServer, Upstream } from './upstream.ts';

type Environment = Readonly<Record<string, string | undefined>>;

/** Where a child's exchanges go, or why they are left alone. */
export type UpstreamFound = { readonly upstream: Upstream } | { readonly reason: string };

const NO_URL = 'ANTHROPIC_BASE_URL is no http or https URL';
const WITH_CREDENTIALS = 'ANTHROPIC_BASE_URL has a user or password in it, which only the CLI itself can send';

const DEFAULT_URL = 'https://api.anthropic.com';

/** With these the CLI signs its requests for, or sends them in the manner of, somebody else's API. */
const CLOUDS: Readonly<Record<string, string>> = {
  CLAUDE_CODE_USE_BEDROCK: 'Amazon Bedrock',
  CLAUDE_CODE_USE_VERTEX: 'Google Vertex AI',
  CLAUDE_CODE_USE_FOUNDRY: 'Microsoft Foundry',
  CLAUDE_CODE_USE_ANTHROPIC_AWS: 'Claude on AWS',
  CLAUDE_CODE_USE_ANTHROPIC_GOOGLE_CLOUD: 'Claude on Google Cloud',
  CLAUDE_CODE_USE_MANTLE: 'Amazon Bedrock (Mantle)',
};

const OFF: readonly string[] = ['', '0', 'false', 'no', 'off'];

/** Reads the environment that the child is about to get. Touches no file but those that it names for TLS. */
export function upstreamOf(environment: Environment): UpstreamFound {
  for (const [name, cloud] of Object.entries(CLOUDS)) {
    if (isOn(environment[name])) return { reason: `${name} is set: requests to ${cloud} are not captured` };
  }
  const text = environment['ANTHROPIC_BASE_URL']?.trim() || DEFAULT_URL;
  const url = URL.canParse(text) ? new URL(text) : undefined;
  if (url === undefined || !/^https?:$/.test(url.protocol)) return { reason: NO_URL };
  if (url.username !== '' || url.password !== '') return { reason: WITH_CREDENTIALS };
  const isTls = url.protocol === 'https:';
  const proxy = proxyFor(url, environment);
  if (proxy === 'unknown') return { reason: 'the proxy that the environment names is none for HTTP' };
  const upstream: Upstream = {
    host: hostOf(url),
    port: portOf(url),
    isTls,
    basePath: url.pathname.replace(/\/+$/, ''),
    ...(proxy === undefined ? {} : { proxy }),
    ...(isTls || proxy?.isTls === true ? { tls: tlsFiles(environment) } : {}),
  };
  return { upstream };
}

/** `NO_PROXY` for a child that must reach `authority` itself; other loopback servers keep their way. The lower-case spelling wins where both are set. */
export function withoutProxy(environment: Environment, authority: string): Readonly<Record<string, string>> {
  const name = environment['no_proxy'] ? 'no_proxy' : 'NO_PROXY';
  const known = environment[name]?.trim() ?? '';
  if (known === '*') return {};
  return { [name]: known === '' ? authority : `${known},${authority}` };
}

function isOn(value: string | undefined): boolean {
  return value !== undefined && !OFF.includes(value.trim().toLowerCase());
}

/** In the order in which the CLI looks for them, whatever the scheme of the URL. */
const PROXIES = ['https_proxy', 'HTTPS_PROXY', 'http_proxy', 'HTTP_PROXY'] as const;
/** Asked last; one that is none for HTTP the CLI does without. */
const PROXIES_FOR_ALL = ['all_proxy', 'ALL_PROXY'] as const;

function proxyFor(url: URL, environment: Environment): ProxyServer | undefined | 'unknown' {
  const valueOf = (names: readonly string[]): string | undefined =>
    names.map((name) => environment[name]?.trim()).find((value) => value !== undefined && value !== '');
  const own = valueOf(PROXIES);
  const text = own ?? valueOf(PROXIES_FOR_ALL);
  if (text === undefined || isExempt(url, environment['no_proxy'] || environment['NO_PROXY'] || '')) return undefined;
  const full = text.includes('://') ? text : `http://${text}`;
  const proxy = URL.canParse(full) ? new URL(full) : undefined;
  if (proxy === undefined || !/^https?:$/.test(proxy.protocol)) return own === undefined ? undefined : 'unknown';
  const authorization = authorizationOf(proxy);
  return {
    host: hostOf(proxy),
    port: portOf(proxy),
    isTls: proxy.protocol === 'https:',
    ...(authorization === undefined ? {} : { authorization }),
  };
}

/** Of credentials with a stray percent sign the CLI sends none. */
function authorizationOf({ username, password }: URL): string | undefined {
  if (username === '' && password === '') return undefined;
  try {
    const secret = `${decodeURIComponent(username)}:${decodeURIComponent(password)}`;
    return `Basic ${Buffer.from(secret).toString('base64')}`;
  } catch {
    return undefined;
  }
}

/** Names cover what is below them; `host:port` is that port alone. */
function isExempt(url: URL, noProxy: string): boolean {
  const host = hostOf(url);
  return noProxy
    .split(/[,\s]+/)
    .filter((entry) => entry !== '')
    .some((entry) => {
      if (entry === '*') return true;
      const name = entry.toLowerCase().replace(/^\*?\./, '');
      return [host, `${host}:${portOf(url)}`].some((own) => own === name || own.endsWith(`.${name}`));
    });
}

function hostOf({ hostname }: URL): string {
  return hostname.replace(/^\[|\]$/g, '');
}

function portOf({ port, protocol }: URL): number {
  return port === '' ? (protocol === 'https:' ? 443 : 80) : Number(port);
}

const FILES = {
  extraCa: 'NODE_EXTRA_CA_CERTS',
  cert: 'CLAUDE_CODE_CLIENT_CERT',
  key: 'CLAUDE_CODE_CLIENT_KEY',
} as const;

function tlsFiles(environment: Environment): TlsFiles {
  const files: { -readonly [K in keyof TlsFiles]: TlsFiles[K] } = {};
  for (const [field, name] of Object.entries(FILES) as [keyof typeof FILES, string][]) {
    const text = readText(environment[name]);
    if (text !== undefined) files[field] = text;
  }
  const passphrase = environment['CLAUDE_CODE_CLIENT_KEY_PASSPHRASE'];
  if (passphrase !== undefined) files.passphrase = passphrase;
  if (environment['NODE_TLS_REJECT_UNAUTHORIZED'] === '0') files.allowsAnyCertificate = true;
  return files;
}

/** What cannot be read the CLI does without, too. */
function readText(path: string | undefined): string | undefined {
  if (path === undefined || path === '') return undefined;
  try {
    return process.getBuiltinModule('node:fs').readFileSync(path, 'utf8');
  } catch {
    return undefined;
  }
}
