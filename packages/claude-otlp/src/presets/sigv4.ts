export interface AwsCredentials {
  readonly accessKeyId: string;
  readonly secretAccessKey: string;
  /** Of temporary credentials. */
  readonly sessionToken?: string;
}

/** A request to be signed. Every header given is signed. */
export interface SignableRequest {
  readonly method: string;
  readonly url: URL;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: Uint8Array;
}

/** For whom and when: a signature holds for one service of one region, for some minutes. */
export interface SigningScope {
  readonly region: string;
  readonly service: string;
  readonly at: Date;
}

const ALGORITHM = 'AWS4-HMAC-SHA256';

/** The headers that AWS Signature Version 4 adds to a request: its date, the session token if there is one, and the signature. */
export function signV4(
  request: SignableRequest,
  credentials: AwsCredentials,
  { region, service, at }: SigningScope,
): Readonly<Record<string, string>> {
  const date = `${at.toISOString().slice(0, 19).replaceAll(/[-:]/g, '')}Z`;
  const { accessKeyId, secretAccessKey, sessionToken } = credentials;
  const added = {
    'x-amz-date': date,
    ...(sessionToken === undefined ? {} : { 'x-amz-security-token': sessionToken }),
  };
  const headers = canonicalHeaders({ ...request.headers, ...added, host: request.url.host });
  const names = headers.map(([name]) => name).join(';');
  const scope = [date.slice(0, 8), region, service, 'aws4_request'];
  const canonical = [
    request.method,
    canonicalPath(request.url.pathname),
    canonicalQuery(request.url.searchParams),
    ...headers.map(([name, value]) => `${name}:${value}`),
    '',
    names,
    sha256(request.body),
  ].join('\n');
  const text = [ALGORITHM, date, scope.join('/'), sha256(canonical)].join('\n');
  const key = scope.reduce<string | Buffer>((secret, part) => hmac(secret, part), `AWS4${secretAccessKey}`);
  const signature = hmac(key, text).toString('hex');
  return {
    ...added,
    authorization: `${ALGORITHM} Credential=${accessKeyId}/${scope.join('/')}, SignedHeaders=${names}, Signature=${signature}`,
  };
}

type Pair = readonly [string, string];

function canonicalHeaders(headers: Readonly<Record<string, string>>): readonly Pair[] {
  const pairs = Object.entries(headers).map(
    ([name, value]): Pair => [name.toLowerCase(), value.trim().replaceAll(/ +/g, ' ')],
  );
  return pairs.sort(([left], [right]) => compare(left, right));
}

function canonicalPath(path: string): string {
  return path
    .split('/')
    .map((segment) => encode(decodeURIComponent(segment)))
    .join('/');
}

function canonicalQuery(query: URLSearchParams): string {
  const pairs = [...query].map(([key, value]): Pair => [encode(key), encode(value)]);
  pairs.sort(([key, value], [otherKey, otherValue]) => compare(key, otherKey) || compare(value, otherValue));
  return pairs.map(([key, value]) => `${key}=${value}`).join('&');
}

/** By bytes, as all of it is ASCII. */
function compare(left: string, right: string): number {
  if (left === right) return 0;
  return left < right ? -1 : 1;
}

function encode(text: string): string {
  return encodeURIComponent(text).replaceAll(
    /[!'()*]/g,
    (character) => `%${character.charCodeAt(0).toString(16).toUpperCase()}`,
  );
}

// Loaded on first use, as every importer of the package would pay for it.
const crypto = () => process.getBuiltinModule('node:crypto');

function sha256(data: string | Uint8Array): string {
  return crypto().createHash('sha256').update(data).digest('hex');
}

function hmac(key: string | Buffer, text: string): Buffer {
  return crypto().createHmac('sha256', key).update(text).digest();
}
