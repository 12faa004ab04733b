import type { Headers } from './delivery-options.ts';

/** What a request carries that may hold keys. */
export interface Confidential {
  readonly url: URL;
  readonly headers: Headers;
}

const MAX_QUOTE_CHARS = 200;
/** What is shorter also occurs in prose, and guards nothing. */
const MIN_SECRET_CHARS = 6;
const MASK = '***';

/** The words that OTLP endpoints are made of. Whatever else a path holds could be a tenant's token. */
const PUBLIC_SEGMENT =
  /^(?:|v\d+(?:\.\d+)?|api|public|otel|otlp|opentelemetry|collector|ingest|intake|integration|projects?|traces?|spans?|logs?|metrics?|events?)$/;

/** The URL as it may be shown: neither user nor query, and of the path only what is no secret. */
export function shownUrl(url: URL): string {
  const segments = url.pathname.split('/').map((segment) => (PUBLIC_SEGMENT.test(segment) ? segment : '…'));
  return url.origin + segments.join('/');
}

/** What a server said, on one line, cut, and without anything confidential: servers like to quote the key they refuse. */
export function quote(text: string, confidential: Confidential): string {
  if (text === '') return text;
  let safe = text;
  for (const secret of secretsOf(confidential)) safe = safe.replaceAll(secret, MASK);
  // \p{C}: control characters and whatever else a terminal might obey.
  return safe
    .replace(/[\p{C}\s]+/gu, ' ')
    .trim()
    .slice(0, MAX_QUOTE_CHARS);
}

/** The text behind percent signs; as it is when those mean nothing. */
export function decoded(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
}

/** The longest first, or a part would be masked and leave the rest of the whole to be read. */
function secretsOf({ url, headers }: Confidential): readonly string[] {
  const query = url.search.slice(1);
  const user = `${url.username}:${url.password}`;
  const parts = [
    ...Object.values(headers).flatMap((value) => [value, ...value.split(/[\s,;=]+/), ...userAndPassword(value)]),
    ...[url.username, url.password].flatMap(spellings),
    ...query.split('&').flatMap((pair) => spellings(pair.slice(pair.indexOf('=') + 1))),
    ...url.pathname.split('/').flatMap((segment) => (PUBLIC_SEGMENT.test(segment) ? [] : spellings(segment))),
  ].filter((part) => part.length >= MIN_SECRET_CHARS);
  // As a whole these are no prose, however short.
  const wholes = [query, user, decoded(user)].filter((whole) => whole.length > 1);
  return [...new Set([...wholes, ...parts])].sort((a, b) => b.length - a.length);
}

/** What `Basic` only wraps: a server quotes the password as it read it. */
function userAndPassword(header: string): readonly string[] {
  const [, coded] = /^Basic\s+(\S+)$/i.exec(header) ?? [];
  if (coded === undefined) return [];
  const plain = Buffer.from(coded, 'base64').toString();
  const colon = plain.indexOf(':');
  return [plain, plain.slice(0, Math.max(0, colon)), plain.slice(colon + 1)];
}

/** A part of a URL as it stands there, and as a server may have read it or written it again. */
function spellings(part: string): readonly string[] {
  const plain = decoded(part);
  return [part, plain, decoded(part.replaceAll('+', ' ')), encodeURIComponent(plain)];
}
