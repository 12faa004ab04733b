/** Where a value stands in a body. */
export interface Span {
  readonly start: number;
  readonly end: number;
}

/** Where the members of a request's object stand, and the elements of its `messages`. */
export interface Layout {
  readonly members: readonly Member[];
  readonly messages: readonly Span[];
}

export interface Member extends Span {
  readonly name: string;
  /** Of its name. */
  readonly at: number;
}

/** A body that was laid out before, and how much of it a new one begins and ends with. */
export interface Known {
  readonly layout: Layout;
  readonly length: number;
  readonly prefix: number;
  readonly suffix: number;
}

const QUOTE = 0x22;
const BACKSLASH = 0x5c;
const COMMA = 0x2c;
const COLON = 0x3a;
const [OPEN_ARRAY, CLOSE_ARRAY, OPEN_OBJECT, CLOSE_OBJECT] = [0x5b, 0x5d, 0x7b, 0x7d];

/** Lays out a request's body without making a value of it. Undefined when it is no JSON object, as far as is looked at. */
export function layOut(body: Buffer, known?: Known): Layout | undefined {
  const members: Member[] = [];
  let messages: readonly Span[] = [];
  let at = skipSpace(body, 0);
  if (body[at] !== OPEN_OBJECT) return undefined;
  at = skipSpace(body, at + 1);
  if (body[at] === CLOSE_OBJECT) return { members, messages };
  while (body[at] === QUOTE) {
    const rest = known === undefined ? undefined : restAfter(known, body.length, at);
    if (rest !== undefined) return { members: [...members, ...rest], messages };
    const nameEnd = endOfString(body, at);
    const colon = nameEnd === -1 ? -1 : skipSpace(body, nameEnd);
    if (colon === -1 || body[colon] !== COLON) return undefined;
    const start = skipSpace(body, colon + 1);
    const name = body.toString('latin1', at + 1, nameEnd - 1);
    const elements = name === 'messages' && body[start] === OPEN_ARRAY ? layOutElements(body, start, known) : undefined;
    const end = elements === undefined ? endOfValue(body, start) : elements.end;
    if (end === -1) return undefined;
    if (elements !== undefined) messages = elements.list;
    members.push({ name, at, start, end });
    at = skipSpace(body, end);
    if (body[at] === CLOSE_OBJECT) return { members, messages };
    if (body[at] !== COMMA) return undefined;
    at = skipSpace(body, at + 1);
  }
  return undefined;
}

/** From here to its end the body is the one that is known: its members are too. */
function restAfter({ layout, length, suffix }: Known, newLength: number, at: number): readonly Member[] | undefined {
  const shift = newLength - length;
  if (at - shift < length - suffix) return undefined;
  const from = layout.members.findIndex((member) => member.at === at - shift);
  // Messages are laid out each time: they are what is looked for.
  if (from === -1 || layout.members.slice(from).some(({ name }) => name === 'messages')) return undefined;
  return layout.members
    .slice(from)
    .map((member) => ({ ...member, at: member.at + shift, start: member.start + shift, end: member.end + shift }));
}

function layOutElements(body: Buffer, start: number, known: Known | undefined): { list: Span[]; end: number } {
  const list = knownElements(start, known);
  let at = skipSpace(body, list.at(-1)?.end ?? start + 1);
  if (list.length === 0 && body[at] === CLOSE_ARRAY) return { list, end: at + 1 };
  for (;;) {
    if (list.length > 0) {
      if (body[at] === CLOSE_ARRAY) return { list, end: at + 1 };
      if (body[at] !== COMMA) return { list, end: -1 };
      at = skipSpace(body, at + 1);
    }
    const end = endOfValue(body, at);
    if (end === -1) return { list, end };
    list.push({ start: at, end });
    at = skipSpace(body, end);
  }
}

/** What lies within the common beginning, the byte after it included, stands where it stood. */
function knownElements(start: number, known: Known | undefined): Span[] {
  const messages = known?.layout.members.find(({ name }) => name === 'messages');
  if (known === undefined || messages?.start !== start) return [];
  return known.layout.messages.filter(({ end }) => end < known.prefix);
}

function endOfValue(body: Buffer, start: number): number {
  const first = body[start];
  if (first === QUOTE) return endOfString(body, start);
  if (first === OPEN_ARRAY || first === OPEN_OBJECT) return endOfNested(body, start);
  let at = start;
  while (at < body.length && !ENDS_LITERAL.has(body[at] ?? 0)) at++;
  return at === start ? -1 : at;
}

const ENDS_LITERAL: ReadonlySet<number> = new Set([COMMA, CLOSE_ARRAY, CLOSE_OBJECT, 0x20, 0x09, 0x0a, 0x0d]);

function endOfNested(body: Buffer, start: number): number {
  let depth = 0;
  for (let at = start; at < body.length; at++) {
    const byte = body[at];
    if (byte === QUOTE) {
      at = endOfString(body, at) - 1;
      if (at < 0) return -1;
    } else if (byte === OPEN_OBJECT || byte === OPEN_ARRAY) depth++;
    else if (byte === CLOSE_OBJECT || byte === CLOSE_ARRAY) {
      depth--;
      if (depth === 0) return at + 1;
    }
  }
  return -1;
}

function endOfString(body: Buffer, start: number): number {
  for (let quote = body.indexOf(QUOTE, start + 1); quote !== -1; quote = body.indexOf(QUOTE, quote + 1)) {
    let before = quote - 1;
    while (body[before] === BACKSLASH) before--;
    if ((quote - 1 - before) % 2 === 0) return quote + 1;
  }
  return -1;
}

function skipSpace(body: Buffer, from: number): number {
  let at = from;
  for (let byte = body[at]; byte === 0x20 || byte === 0x0a || byte === 0x0d || byte === 0x09; byte = body[at]) at++;
  return at;
}
