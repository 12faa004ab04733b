/** How the length of a message's body is told. */
export type Framing =
  | { readonly type: 'none' }
  | { readonly type: 'length'; readonly bytes: number }
  | { readonly type: 'chunked' }
  | { readonly type: 'until-close' };

/** The start line and the fields of a request or an answer, as text; field names in lower case. */
export interface Head {
  readonly startLine: string;
  readonly fields: readonly HeadField[];
}

export interface HeadField {
  readonly name: string;
  readonly value: string;
  /** As it was written. */
  readonly line: string;
}

/** Index of the first byte after a head, or -1 while it is not complete. `from`: where a look for its end has to begin. */
export function endOfHead(bytes: Buffer, from: number): number {
  const end = bytes.indexOf('\r\n\r\n', Math.max(0, from - 3), 'latin1');
  return end === -1 ? -1 : end + 4;
}

/** Undefined when it is not HTTP. Bytes are read as Latin-1 and written as such again, so nothing of them changes. */
export function parseHead(bytes: Buffer): Head | undefined {
  const [startLine = '', ...lines] = bytes.toString('latin1', 0, bytes.length - 4).split('\r\n');
  const fields: HeadField[] = [];
  for (const line of lines) {
    const colon = line.indexOf(':');
    if (colon <= 0) return undefined;
    fields.push({ name: line.slice(0, colon).toLowerCase(), value: line.slice(colon + 1).trim(), line });
  }
  return { startLine, fields };
}

export function fieldOf({ fields }: Head, name: string): string | undefined {
  return fields.find((field) => field.name === name)?.value;
}

export interface RequestLine {
  readonly method: string;
  readonly target: string;
  readonly version: string;
}

const REQUEST_LINE = /^([!#$%&'*+.^_`|~0-9A-Za-z-]+) (\S+) (HTTP\/1\.[01])$/;

export function requestLine({ startLine }: Head): RequestLine | undefined {
  const [, method, target, version] = REQUEST_LINE.exec(startLine) ?? [];
  return method === undefined || target === undefined || version === undefined
    ? undefined
    : { method, target, version };
}

/** Undefined when its length cannot be told for certain: then not even where the next request begins is known. */
export function requestFraming(head: Head): Framing | undefined {
  const coding = fieldOf(head, 'transfer-encoding')?.toLowerCase();
  if (coding !== undefined) return coding.endsWith('chunked') ? { type: 'chunked' } : undefined;
  return lengthOf(head) ?? { type: 'none' };
}

const STATUS_LINE = /^HTTP\/1\.[01] ([1-9][0-9]{2})/;

export function statusOf({ startLine }: Head): number | undefined {
  const [, status] = STATUS_LINE.exec(startLine) ?? [];
  return status === undefined ? undefined : Number(status);
}

/** RFC 9112, 6.3. */
export function answerFraming(head: Head, status: number, method: string): Framing {
  if (method === 'HEAD' || status === 204 || status === 304) return { type: 'none' };
  const coding = fieldOf(head, 'transfer-encoding')?.toLowerCase();
  if (coding !== undefined) return { type: coding.endsWith('chunked') ? 'chunked' : 'until-close' };
  return lengthOf(head) ?? { type: 'until-close' };
}

function lengthOf(head: Head): Framing | undefined {
  const text = fieldOf(head, 'content-length');
  if (text === undefined || !/^[0-9]+$/.test(text)) return undefined;
  const bytes = Number(text);
  return bytes === 0 ? { type: 'none' } : { type: 'length', bytes };
}

/** The head that goes to the upstream: what names the receiver is the upstream's, all else is as it was written. */
export function forwardedHead(head: Head, startLine: string, put: Readonly<Record<string, string>>): Buffer {
  const lines = head.fields.flatMap(({ name, line }) => (Object.hasOwn(put, name) ? [] : [line]));
  const own = Object.entries(put).map(([name, value]) => `${name}: ${value}`);
  return Buffer.from([startLine, ...own, ...lines, '', ''].join('\r\n'), 'latin1');
}
