import type { Refusal } from './wire-protocol.ts';

const REFUSALS: Readonly<Record<Refusal, { readonly status: string; readonly message: string }>> = {
  bad_http: { status: '400 Bad Request', message: 'this is not a request in HTTP/1.1' },
  wrong_host: { status: '421 Misdirected Request', message: 'Host must be this loopback address' },
  unknown_token: { status: '401 Unauthorized', message: 'the token in the path is not known here' },
  unreachable: { status: '502 Bad Gateway', message: 'the upstream cannot be reached' },
};

/** What a client is told that is turned away: an error in the API's own form. */
export function answerTo(refusal: Refusal, detail?: string): string {
  const { status, message } = REFUSALS[refusal];
  const text = `spanprism: ${message}${detail === undefined ? '' : ` (${detail})`}`;
  const body = JSON.stringify({ type: 'error', error: { type: 'api_error', message: text } });
  const fields = [`Content-Type: application/json`, `Content-Length: ${Buffer.byteLength(body)}`, 'Connection: close'];
  return [`HTTP/1.1 ${status}`, ...fields, '', body].join('\r\n');
}
