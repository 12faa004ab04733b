import type { Dialed } from './upstream.ts';
import type { Refusal } from './wire-protocol.ts';

const REFUSALS: Readonly<Record<Refusal, { readonly status: string; readonly message: string }>> = {
  bad_http: { status: '400 Bad Request', message: 'this is not a request in HTTP/1.1' },
  wrong_host: { status: '421 Misdirected Request', message: 'Host must be this loopback address' },
  unknown_token: { status: '401 Unauthorized', message: 'the token in the path is not known here' },
  unreachable: { status: '502 Bad Gateway', message: 'the upstream cannot be reached' },
};

/** What a client is told that is turned away: an error in the API's own form. `nearer`: what is known of this one. */
export function answerTo(refusal: Refusal, nearer?: string): string {
  const { status, message } = REFUSALS[refusal];
  const text = `spanprism: ${nearer ?? message}`;
  const body = JSON.stringify({ type: 'error', error: { type: 'api_error', message: text } });
  const fields = [`Content-Type: application/json`, `Content-Length: ${Buffer.byteLength(body)}`, 'Connection: close'];
  return [`HTTP/1.1 ${status}`, ...fields, '', body].join('\r\n');
}

const OF_CERTIFICATES = /CERT|SIGNATURE|ISSUER/;

/** Claude Code knows our address alone, so what could not be reached, why, and what to look at is told: no path, no credentials. */
export function unreachable({ upstream, authority }: Dialed, why: string): string {
  const { isTls, proxy } = upstream;
  const way = proxy === undefined ? '' : ` through the proxy at ${proxy.host}:${proxy.port}`;
  const settings = proxy === undefined ? 'ANTHROPIC_BASE_URL' : 'HTTPS_PROXY and NO_PROXY';
  const look = OF_CERTIFICATES.test(why) ? 'NODE_EXTRA_CA_CERTS' : `${settings} and the network`;
  return `http${isTls ? 's' : ''}://${authority} cannot be reached${way} (${why}); check ${look}.`;
}
