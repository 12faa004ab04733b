/** What an answer means for the batch. */
export type Verdict = 'delivered' | 'retry' | 'split' | 'drop';

/** OTLP's list; every other 4xx and 5xx is final. */
const RETRYABLE: ReadonlySet<number> = new Set([429, 502, 503, 504]);

export function verdictOf(status: number): Verdict {
  if (status >= 200 && status < 300) return 'delivered';
  if (status === 413) return 'split';
  return RETRYABLE.has(status) ? 'retry' : 'drop';
}

const KEY =
  'Check the key: is it the right one for this endpoint and region, and is it configured where this process reads it?';
const FULL_URL = 'The endpoint must be the full URL, including the path (for OTLP traces it ends in /v1/traces).';
const MOVED = 'Redirects are not followed, as that would hand the key to another host: configure the final URL.';
const CERTIFICATE = 'The certificate is not trusted here: for a private authority set NODE_EXTRA_CA_CERTS.';

/** What to do, by HTTP status or by the network's error code. */
const FIXES: Readonly<Record<string, string>> = {
  301: MOVED,
  302: MOVED,
  307: MOVED,
  308: MOVED,
  400: 'The backend does not understand the payload: check the protocol (http/protobuf or http/json) and that the endpoint takes this signal.',
  401: KEY,
  403: KEY,
  404: FULL_URL,
  405: FULL_URL,
  411: 'Something on the way removed the Content-Length: check the proxy.',
  413: 'One record alone is larger than the backend takes: capture less content or cut it shorter.',
  415: 'The backend does not take this content type: use the other protocol (http/protobuf or http/json).',
  429: 'The backend limits the rate: sample, or raise the quota.',
  ECONNREFUSED: 'Nothing listens there: is it running, and are host and port right (of a collector 4318, not 4317)?',
  ENOTFOUND: 'That host name does not exist: check the endpoint.',
  EAI_AGAIN: 'The host name cannot be looked up now: check DNS and the network.',
  ECONNRESET: 'The connection was cut: is the port the HTTP one (4318, not the gRPC one 4317)?',
  HPE_INVALID_CONSTANT: 'That is not HTTP/1.1: is the port the HTTP one (4318, not the gRPC one 4317)?',
  ETIMEDOUT: 'The backend does not answer in time: check the network, or raise the timeout.',
  EPROTO: 'TLS failed: does the endpoint speak https, or should it be http?',
  ERR_SSL_WRONG_VERSION_NUMBER: 'TLS failed: should the endpoint be http instead of https?',
  CERT_HAS_EXPIRED: 'The certificate of the endpoint has expired.',
  DEPTH_ZERO_SELF_SIGNED_CERT: CERTIFICATE,
  SELF_SIGNED_CERT_IN_CHAIN: CERTIFICATE,
  UNABLE_TO_VERIFY_LEAF_SIGNATURE: CERTIFICATE,
};

/** The advice for a cause; a sink's own (which knows the name of its key) goes first. */
export function fixFor(cause: string, own: Readonly<Record<string, string>> = {}): string {
  return own[cause] ?? FIXES[cause] ?? '';
}

/** The network's error as a code to look up and a text to show. */
export function describeFailure(error: unknown): { readonly code: string; readonly text: string } {
  if (!(error instanceof Error)) return { code: 'unknown', text: String(error) };
  const code = 'code' in error && typeof error.code === 'string' ? error.code : error.name;
  // A host with several addresses fails with an AggregateError, which has no message.
  return { code, text: error.message === '' ? code : error.message };
}
