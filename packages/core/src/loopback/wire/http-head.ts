/** How the length of a message's body is told. */
export type Framing =
  | { readonly type: 'none' }
  | { readonly type: 'length'; readonly bytes: number }
  | { readonly type: 'chunked' }
  | { readonly type: 'until-close' };

/** The start line and the fields of a request or an answer, as text; field names in lower case. */
export interface Head {
  /** With its carriage return, as all lines here. */
  readonly startLine: string;
  readonly fields: readonly HeadField[];
}

export interface HeadField {
  readonly name: string;
  readonly value: string;
  /** As it was written. */
  readonly line: string;
}

const [CR, LF] = [0x0d, 0x0a];

/** There may be some before a request, says RFC 9112, 2.2. */
export function skipEmptyLines(bytes: Buffer, from: number): number {
  let at = from;
  while (bytes[at] === CR || bytes[at] === LF) at++;
  return at;
}

/** Index of the first byte after a head, or -1 while it is not complete. `from`: where a look for its end has to begin. */
export function endOfHead(bytes: Buffer, from: number): number {
  const begin = Math.max(0, from - 2);
  const end = bytes.indexOf('\n\r\n', begin, 'latin1');
  // A line may end without a carriage return, says RFC 9112, 2.2, and some servers' do.
  const bare = bytes.subarray(begin, end === -1 ? bytes.length : end).indexOf('\n\n', 0, 'latin1');
  if (bare !== -1) return begin + bare + 2;
  return end === -1 ? -1 : end + 3;
}

/** Bytes are read as Latin-1 and written as such again, so nothing of them changes. */
export function parseHead(bytes: Buffer): Head {
  const [startLine = '', ...lines] = bytes.toString('latin1').split('\n');
  return { startLine, fields: lines.slice(0, -2).map(fieldOfLine) };
}

/** What goes on with the line before, or has no name, is no field that anybody asks for. */
function fieldOfLine(line: string): HeadField {
  const colon = line.startsWith(' ') || line.startsWith('\t') ? 0 : Math.max(0, line.indexOf(':'));
  return { name: line.slice(0, colon).trimEnd().toLowerCase(), value: line.slice(colon + 1).trim(), line };
}

export function fieldOf({ fields }: Head, name: string): string | undefined {
  return fields.find((field) => field.name === name)?.value;
}

function valuesOf({ fields }: Head, name: string): readonly string[] {
  return fields
    .flatMap((field) => (field.name === name ? field.value.toLowerCase().split(',') : []))
    .map((value) => value.trim());
}

export interface RequestLine {
  readonly method: string;
  readonly target: string;
  readonly version: string;
}

const REQUEST_LINE = /^([!#$%&'*+.^_`|~0-9A-Za-z-]+) (\S+) (HTTP\/1\.[01])\r$/;

export function requestLine({ startLine }: Head): RequestLine | undefined {
  const [, method, target, version] = REQUEST_LINE.exec(startLine) ?? [];
  return method === undefined || target === undefined || version === undefined
    ? undefined
    : { method, target, version };
}

const FIELD_LINE = /^[!#$%&'*+.^_`|~0-9A-Za-z-]+:[^\0\r]*\r$/;

/**
 * Undefined when anybody could read its length differently: then not even where the next request begins is known, and what is in its
 * head could be taken for a body. RFC 9112, 5.1, 5.2 and 6.3.
 */
export function requestFraming(head: Head): Framing | undefined {
  if (!head.fields.every(({ line }) => FIELD_LINE.test(line))) return undefined;
  const codings = valuesOf(head, 'transfer-encoding');
  const lengths = valuesOf(head, 'content-length');
  if (codings.length === 0) return lengths.length === 0 ? { type: 'none' } : lengthOf(lengths);
  return lengths.length === 0 && isChunked(codings) ? { type: 'chunked' } : undefined;
}

const STATUS_LINE = /^HTTP\/1\.[01] ([1-9][0-9]{2})/;

export function statusOf({ startLine }: Head): number | undefined {
  const [, status] = STATUS_LINE.exec(startLine) ?? [];
  return status === undefined ? undefined : Number(status);
}

/** RFC 9112, 6.3. */
export function answerFraming(head: Head, status: number, method: string): Framing {
  if (method === 'HEAD' || status === 204 || status === 304) return { type: 'none' };
  const codings = valuesOf(head, 'transfer-encoding');
  if (codings.length > 0) return { type: isChunked(codings) ? 'chunked' : 'until-close' };
  return lengthOf(valuesOf(head, 'content-length')) ?? { type: 'until-close' };
}

function isChunked(codings: readonly string[]): boolean {
  return codings.indexOf('chunked') === codings.length - 1;
}

/** Undefined when there is none, or several that differ. */
function lengthOf([length, ...others]: readonly string[]): Framing | undefined {
  if (length === undefined || !/^[0-9]{1,15}$/.test(length) || others.some((other) => other !== length))
    return undefined;
  const bytes = Number(length);
  return bytes === 0 ? { type: 'none' } : { type: 'length', bytes };
}
