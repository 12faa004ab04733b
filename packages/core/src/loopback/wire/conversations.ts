import { commonPrefix, commonSuffix } from './common-bytes.ts';
import { type Layout, layOut, type Span } from './json-layout.ts';

/** The latest request of one conversation: what the next one is held against. */
export interface Conversation {
  /** Session and agent. */
  readonly owner: string;
  readonly body: Buffer;
  readonly layout: Layout;
  readonly usesWebSearch: boolean;
  readonly lastUserText: string;
}

/** A request's body, and what of it is new. */
export interface LaidOut {
  readonly body: Buffer;
  readonly layout: Layout;
  readonly before: Conversation | undefined;
  /** Index of the first message that the request before did not have. */
  readonly firstNew: number;
  /** Names of members that are byte for byte those of the request before. */
  isSame(name: string): boolean;
}

const MOST_CONVERSATIONS = 256;
const MOST_BYTES = 192 * 1024 * 1024;
/** What the CLI moves to the end of a conversation's last message: `,"cache_control":{"type":"ephemeral","ttl":"1h"}` and brackets. */
const MARK_BYTES = 96;

/**
 * Requests of a conversation repeat all that was said before. Only what is new is read, found by comparing bytes; and only its latest
 * request is held. Which conversation a request goes on with, nothing says: it is the one whose beginning it has.
 */
export class Conversations {
  /** The latest used last. */
  readonly #known: Conversation[] = [];
  #bytes = 0;

  layOut(owner: string, body: Buffer): LaidOut | undefined {
    const before = this.#known.findLast((known) => known.owner === owner && goesOnWith(known, body));
    const known = before === undefined ? undefined : knownOf(before, body);
    const layout = layOut(body, known);
    if (layout === undefined) return undefined;
    return {
      body,
      layout,
      before,
      firstNew: before === undefined ? 0 : firstNewMessage(before, { body, layout, prefix: known?.prefix ?? 0 }),
      isSame: (name) => before !== undefined && isSameMember(before, { body, layout }, name),
    };
  }

  /** The latest that this owner has asked. */
  latestOf(owner: string): Conversation | undefined {
    return this.#known.findLast((known) => known.owner === owner);
  }

  /** From here on the next request is held against this one. */
  remember(conversation: Conversation, inPlaceOf: Conversation | undefined): void {
    const old = inPlaceOf === undefined ? -1 : this.#known.indexOf(inPlaceOf);
    if (old !== -1) this.#forget(old);
    this.#known.push(conversation);
    this.#bytes += conversation.body.length;
    while (this.#known.length > MOST_CONVERSATIONS || (this.#bytes > MOST_BYTES && this.#known.length > 1))
      this.#forget(0);
  }

  forgetOwner(isTheirs: (owner: string) => boolean): void {
    for (let index = this.#known.length - 1; index >= 0; index--)
      if (isTheirs(this.#known[index]?.owner ?? '')) this.#forget(index);
  }

  #forget(index: number): void {
    const [gone] = this.#known.splice(index, 1);
    if (gone === undefined) return;
    this.#bytes -= gone.body.length;
  }
}

/** The same model and the same first message, but for the mark that it loses when it is no longer the last. */
function goesOnWith({ body, layout }: Conversation, next: Buffer): boolean {
  const first = layout.messages[0];
  if (first === undefined) return false;
  const needed = Math.max(first.start + 1, first.end - MARK_BYTES);
  return next.length >= needed && body.compare(next, 0, needed, 0, needed) === 0;
}

function knownOf({ body, layout }: Conversation, next: Buffer) {
  const prefix = commonPrefix(body, next);
  const suffix = commonSuffix(body, next, Math.min(body.length, next.length) - prefix);
  return { layout, length: body.length, prefix, suffix };
}

interface Compared {
  readonly body: Buffer;
  readonly layout: Layout;
}

function firstNewMessage(before: Conversation, now: Compared & { readonly prefix: number }): number {
  const theirs = before.layout.messages;
  const ours = now.layout.messages;
  let index = 0;
  while (index < ours.length && index < theirs.length && (ours[index]?.end ?? 0) < now.prefix) index++;
  // What differs may differ by its mark alone.
  while (index < ours.length && index < theirs.length) {
    if (unmarked(now.body, ours[index]) !== unmarked(before.body, theirs[index])) break;
    index++;
  }
  return index;
}

function unmarked(body: Buffer, at: Span | undefined): string | undefined {
  const message = parseAt(body, at) as { readonly role?: unknown; readonly content?: unknown } | undefined;
  const content = typeof message?.content === 'string' ? [{ type: 'text', text: message.content }] : message?.content;
  return JSON.stringify([message?.role, content], (key, value: unknown) =>
    key === 'cache_control' ? undefined : value,
  );
}

function isSameMember(before: Compared, now: Compared, name: string): boolean {
  const theirs = memberOf(before.layout, name);
  const ours = memberOf(now.layout, name);
  if (theirs === undefined || ours === undefined) return theirs === ours;
  return before.body.compare(now.body, ours.start, ours.end, theirs.start, theirs.end) === 0;
}

export function memberOf({ members }: Layout, name: string): Span | undefined {
  return members.find((member) => member.name === name);
}

/** Undefined where there is nothing, or no JSON. */
export function parseAt(body: Buffer, at: Span | undefined): unknown {
  if (at === undefined) return undefined;
  try {
    return JSON.parse(body.toString('utf8', at.start, at.end)) as unknown;
  } catch {
    return undefined;
  }
}
