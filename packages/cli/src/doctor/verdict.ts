import { shownUrl } from '@spanprism/core/otlp';
import type { CanaryEnd } from './canary.ts';
import type { Code, Finding } from './finding.ts';
import { type Exchange, isPage } from './http-watch.ts';
import { missingPath } from './environment-checks.ts';

type Diagnosis = Pick<Finding, 'code' | 'what' | 'fix'>;

/** Why a canary did not arrive. `where`: what asked for the sink. */
export function diagnose(end: CanaryEnd, where: string): Finding {
  const { exchange } = end;
  if (exchange === undefined) return { ...withoutAnswer(end), where };
  const place = shownUrl(exchange.url);
  if (exchange.errorCode !== undefined) return advised({ ...ofNetwork(exchange.errorCode, place), where }, end);
  if (isOfProxy(exchange)) return { ...inTheWay(exchange, place), where };
  const status = exchange.status ?? 0;
  const isPath = status === 404 || status === 405 || isPage(exchange);
  if (isPath && !/\/v1\/traces\/?$/.test(exchange.url.pathname))
    return missingPath(where, `${place} ${saidBy(exchange)}, and`);
  const { code, fix } = isPage(exchange) ? NOT_FOUND : (byStatus(status) ?? REJECTED);
  return advised({ code, what: `${place} ${saidBy(exchange)}`, where, fix }, end);
}

/** The sink knows the names of its keys, and where its server is configured. */
const ADVISED: ReadonlySet<Code> = new Set(['key_refused', 'connection_refused', 'not_found']);

function advised(finding: Finding, { words }: CanaryEnd): Finding {
  const [, fix = finding.fix] = /\b(?:answered \d{3}|cannot be reached)(?: \(.*?"?\))?\. (\S.*)$/s.exec(words) ?? [];
  return ADVISED.has(finding.code) ? { ...finding, fix } : finding;
}

function saidBy(exchange: Exchange): string {
  if (isPage(exchange)) return 'answers with a web page';
  const { status = 0 } = exchange;
  return status >= 200 && status < 300 ? 'took the request, and rejected the span' : `answers ${status}`;
}

const NOT_FOUND = {
  code: 'not_found',
  fix: 'Check the endpoint: host, port (4318, not 4317) and path.',
} as const satisfies Partial<Diagnosis>;
const PAYLOAD = {
  code: 'payload_refused',
  fix: 'Check the protocol (http/protobuf or http/json), and that the endpoint takes traces.',
} as const satisfies Partial<Diagnosis>;
const REJECTED = { code: 'undelivered', fix: 'OTEL_DEBUG=1 shows what the backend says.' } as const;
const KEY = {
  code: 'key_refused',
  fix: 'Check the key: is it the right one for this endpoint and region, and set in this shell?',
} as const;

const STATUSES: Readonly<Record<number, { readonly code: Code; readonly fix: string }>> = {
  400: PAYLOAD,
  401: KEY,
  403: KEY,
  404: NOT_FOUND,
  405: NOT_FOUND,
  411: PAYLOAD,
  413: PAYLOAD,
  415: PAYLOAD,
  422: PAYLOAD,
  429: { code: 'rate_limited', fix: 'The backend limits the rate: sample, or raise the quota.' },
};

function byStatus(status: number): { readonly code: Code; readonly fix: string } | undefined {
  if (status >= 300 && status < 400) {
    return { code: 'redirected', fix: 'Set the endpoint to the final URL: keys are not handed on to another host.' };
  }
  if (status >= 500)
    return { code: 'backend_failing', fix: 'It has a fault of its own now: look at its logs, or try later.' };
  return STATUSES[status] ?? (status >= 400 ? PAYLOAD : undefined);
}

/** What it takes for an answer to be a proxy's; `via` alone is sent by every load balancer. */
const PROXY_HEADERS = ['proxy-authenticate', 'x-squid-error', 'proxy-status'] as const;

function isOfProxy({ status, headers }: Exchange): boolean {
  return status === 407 || status === 511 || ((status ?? 0) >= 400 && PROXY_HEADERS.some((name) => name in headers));
}

function inTheWay({ status }: Exchange, place: string): Diagnosis {
  const what = `a proxy stands before ${place}, and answers ${status ?? 0} itself`;
  const fix =
    'Take the way around it, or have it pass this host on; behind one, a Collector on this machine can go through it.';
  return { code: 'proxy_in_the_way', what, fix };
}

const TLS = /^(?:CERT_|ERR_TLS|ERR_SSL|DEPTH_ZERO|SELF_SIGNED|UNABLE_TO_|HOSTNAME_MISMATCH|EPROTO)/;
const NETWORK: Readonly<Record<string, { readonly code: Code; readonly what: string; readonly fix: string }>> = {
  ECONNREFUSED: {
    code: 'connection_refused',
    what: 'nothing listens at',
    fix: 'Is the collector running, and is the port the HTTP one (4318, not 4317)?',
  },
  ENOTFOUND: {
    code: 'host_not_found',
    what: 'there is no such host:',
    fix: 'Check the name in the endpoint, and DNS.',
  },
  EAI_AGAIN: { code: 'host_not_found', what: 'the host cannot be looked up:', fix: 'Check DNS and the network.' },
  ETIMEDOUT: {
    code: 'no_answer',
    what: 'no connection comes about to',
    fix: 'Check the network and its firewall.',
  },
};
const CUT = {
  code: 'connection_cut',
  what: 'the connection is cut by',
  fix: 'Is the port the HTTP one (4318, not the gRPC one 4317), and http or https right?',
} as const;

function ofNetwork(errorCode: string, place: string): Diagnosis {
  if (TLS.test(errorCode)) {
    const plain = errorCode === 'EPROTO' || errorCode === 'ERR_SSL_WRONG_VERSION_NUMBER';
    const fix = plain
      ? 'It does not speak TLS: should the endpoint begin with http:// instead?'
      : 'For a private authority set NODE_EXTRA_CA_CERTS to its certificate.';
    return { code: 'tls_failed', what: `TLS with ${place} fails: ${errorCode}`, fix };
  }
  const { code, what, fix } = NETWORK[errorCode] ?? { ...CUT, what: `${errorCode}: ${CUT.what}` };
  return { code, what: `${what} ${place}`, fix };
}

function withoutAnswer({ words, dropped }: CanaryEnd): Diagnosis {
  if (dropped.includes('sampled_out')) {
    const fix = 'Raise the share of the sampler; OTEL_TRACES_SAMPLER=parentbased_always_on keeps everything.';
    return { code: 'sampler_off', what: 'the sampler keeps no trace', fix };
  }
  if (dropped.includes('sdk_disabled')) {
    return { code: 'sdk_disabled', what: 'the environment says that nothing is sent', fix: 'Unset that variable.' };
  }
  const [, place] = /(https?:\/\/\S+) /.exec(words) ?? [];
  if (place === undefined)
    return { code: 'undelivered', what: words === '' ? 'nothing was sent' : words, fix: REJECTED.fix };
  const fix = 'Check the network, or a proxy or firewall that swallows the connection.';
  return { code: 'no_answer', what: `${place} does not answer`, fix };
}
