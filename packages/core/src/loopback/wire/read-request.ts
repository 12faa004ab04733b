import { type Conversation, type Conversations, type LaidOut, memberOf, parseAt } from './conversations.ts';
import { fieldsOf, stringIn } from './fields.ts';
import type { WirePurpose, WireRequest } from './wire-exchange.ts';

/** How much of a body that is no JSON is shown. */
const MAX_UNREADABLE_BYTES = 64 * 1024;

/** Reads what is new in a request. `isReadable` false: it is no JSON that we understand. */
export function readRequest(conversations: Conversations, owner: string, body: Buffer): WireRequest {
  const laidOut = conversations.layOut(owner, body);
  if (laidOut === undefined) return unreadable(body);
  const { layout, before, firstNew } = laidOut;
  const messages: unknown[] = [];
  for (const at of layout.messages.slice(firstNew)) {
    const message = parseAt(body, at);
    if (message === undefined) return unreadable(body);
    messages.push(message);
  }
  const model = parseMember(laidOut, 'model');
  const tools = laidOut.isSame('tools') ? undefined : parseMember(laidOut, 'tools');
  const system = laidOut.isSame('system') ? undefined : parseMember(laidOut, 'system');
  const usesWebSearch = Array.isArray(tools) ? tools.some(isWebSearch) : (before?.usesWebSearch ?? false);
  const said = lastUserText(laidOut);
  const isRepeated = repeats(laidOut, said, before ?? conversations.latestOf(owner));
  conversations.remember({ owner, body, layout, usesWebSearch, lastUserText: said }, before);
  return {
    ...(typeof model === 'string' ? { model } : {}),
    purpose: purposeOf(laidOut, { usesWebSearch, lastUserText: said }),
    messages,
    isFirst: before === undefined,
    isRepeated,
    ...(system === undefined ? {} : { system }),
    ...(Array.isArray(tools) ? { tools } : {}),
  };
}

/** Nothing new is asked. What was refused the CLI asks again with other tools and reminders around the same words. */
function repeats({ layout, before, firstNew }: LaidOut, said: string, latest: Conversation | undefined): boolean {
  const { length } = layout.messages;
  if (latest === undefined || latest.layout.messages.length !== length) return false;
  return (before !== undefined && firstNew === length) || (said !== '' && said === latest.lastUserText);
}

function unreadable(body: Buffer): WireRequest {
  return {
    purpose: 'other',
    messages: [],
    isFirst: true,
    isRepeated: false,
    unreadable: body.toString('utf8', 0, MAX_UNREADABLE_BYTES),
  };
}

function parseMember({ body, layout }: LaidOut, name: string): unknown {
  return parseAt(body, memberOf(layout, name));
}

interface Signs {
  readonly member: (name: string) => unknown;
  readonly lastUserText: string;
  readonly usesWebSearch: boolean;
}

/** First match wins. Seen with CLI 2.1.329; a plain request of any other client is a turn. */
const SIGNS: readonly (readonly [WirePurpose, (signs: Signs) => boolean])[] = [
  ['validation', ({ member }) => member('max_tokens') === 1 && member('stream') !== true],
  [
    'title',
    ({ member }) => stringIn(fieldsOf(fieldsOf(member('output_config'))?.['format']), 'type') === 'json_schema',
  ],
  ['compaction', ({ lastUserText }) => lastUserText.startsWith('CRITICAL: Respond with TEXT ONLY')],
  ['other', ({ lastUserText }) => lastUserText.startsWith('Web page content:')],
  ['other', ({ usesWebSearch }) => usesWebSearch],
];

function purposeOf(laidOut: LaidOut, signs: Omit<Signs, 'member'>): WirePurpose {
  const member = (name: string): unknown => parseMember(laidOut, name);
  return SIGNS.find(([, applies]) => applies({ member, ...signs }))?.[0] ?? 'turn';
}

function lastUserText({ body, layout }: LaidOut): string {
  const last = layout.messages.findLast((at) => body.toString('utf8', at.start, at.start + 64).includes('"user"'));
  const message = fieldsOf(parseAt(body, last));
  const content = message?.['content'];
  if (typeof content === 'string') return content;
  const texts = (Array.isArray(content) ? content : []).flatMap(
    (block: unknown) => stringIn(fieldsOf(block), 'text') ?? [],
  );
  return (texts.at(-1) ?? '').trimStart();
}

function isWebSearch(tool: unknown): boolean {
  return stringIn(fieldsOf(tool), 'type')?.startsWith('web_search_') === true;
}
