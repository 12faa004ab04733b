import type { Environment } from '@spanprism/core/otlp';
import type { Code, Finding } from './finding.ts';

const LIMIT_MS = 3_000;
/** How a host looks that cannot be reached without the proxy. */
const UNREACHED: ReadonlySet<Code> = new Set(['connection_refused', 'connection_cut', 'host_not_found', 'no_answer']);

/** A backend that cannot be reached, and can be through the proxy of this shell: sinks do not take that way. */
export async function behindProxy(finding: Finding, url: URL, env: Environment): Promise<Finding> {
  const proxy = UNREACHED.has(finding.code) ? proxyFor(url, env) : undefined;
  if (proxy === undefined || !(await leadsTo(proxy.url, url))) return finding;
  return {
    code: 'proxy_in_the_way',
    what: `${url.host} can be reached through the proxy (env ${proxy.name}) alone, which sinks do not use`,
    where: finding.where,
    fix: 'Let this machine reach it directly, or send to a Collector on this machine that goes through the proxy.',
  };
}

interface Proxy {
  readonly name: string;
  readonly url: URL;
}

/** Small letters win, as with curl; empty means none. */
function proxyFor(url: URL, env: Environment): Proxy | undefined {
  if (isExempt(url, env['no_proxy'] || env['NO_PROXY'] || '')) return undefined;
  const scheme = url.protocol === 'https:' ? 'https_proxy' : 'http_proxy';
  for (const name of [scheme, scheme.toUpperCase(), 'all_proxy', 'ALL_PROXY']) {
    const text = env[name]?.trim() ?? '';
    const full = text === '' || text.includes('://') ? text : `http://${text}`;
    if (URL.canParse(full) && new URL(full).protocol === 'http:') return { name, url: new URL(full) };
  }
  return undefined;
}

function isExempt({ hostname, host }: URL, list: string): boolean {
  return list.split(/[\s,]+/).some((entry) => {
    const name = entry.replace(/^\*?\./, '');
    return entry === '*' || (name !== '' && (name === host || name === hostname || hostname.endsWith(`.${name}`)));
  });
}

/** Whether the proxy makes a tunnel there. Nothing is sent through it. */
function leadsTo(proxy: URL, { hostname, port, protocol }: URL): Promise<boolean> {
  const target = `${hostname}:${port || (protocol === 'https:' ? '443' : '80')}`;
  const { username, password } = proxy;
  const user = Buffer.from(`${decoded(username)}:${decoded(password)}`).toString('base64');
  return new Promise((resolve) => {
    const request = process.getBuiltinModule('node:http').request({
      host: proxy.hostname,
      port: proxy.port || 80,
      method: 'CONNECT',
      path: target,
      timeout: LIMIT_MS,
      headers: { host: target, ...(username === '' ? {} : { 'proxy-authorization': `Basic ${user}` }) },
    });
    const end = (isThere: boolean): void => {
      resolve(isThere);
      request.destroy();
    };
    request.on('connect', ({ statusCode }, socket) => {
      socket.destroy();
      end(statusCode === 200);
    });
    request.on('response', () => end(false));
    request.on('timeout', () => end(false));
    request.on('error', () => end(false));
    request.end();
  });
}

/** The text behind percent signs; as it is when those mean nothing. */
function decoded(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
}
