import { asArray, asObject, asString, type JsonObject } from '../json.ts';

/**
 * What the CLI asks for. Nothing on the wire says so: it is read from the body.
 * `auxiliary` is a side call of a tool, as WebFetch and WebSearch make.
 */
export type RequestPurpose = 'turn' | 'title' | 'compaction' | 'validation' | 'auxiliary' | 'countTokens';

interface Signs {
  readonly path: string;
  readonly body: JsonObject;
  readonly lastUserText: string;
}

/** First match wins. Seen with CLI 2.1.329; a plain request of any other client is a turn. */
const SIGNS: readonly (readonly [RequestPurpose, (signs: Signs) => boolean])[] = [
  ['countTokens', ({ path }) => path.endsWith('/count_tokens')],
  ['validation', ({ body }) => body['max_tokens'] === 1 && body['stream'] !== true],
  ['title', ({ body }) => asObject(asObject(body['output_config'])['format'])['type'] === 'json_schema'],
  ['compaction', ({ lastUserText }) => lastUserText.startsWith('CRITICAL: Respond with TEXT ONLY')],
  ['auxiliary', ({ lastUserText }) => lastUserText.startsWith('Web page content:')],
  ['auxiliary', ({ body }) => asArray(body['tools']).some(isWebSearch)],
];

/** Reads what a request is for. */
export function readPurpose(signs: Signs): RequestPurpose {
  return SIGNS.find(([, applies]) => applies(signs))?.[0] ?? 'turn';
}

function isWebSearch(tool: unknown): boolean {
  return asString(asObject(tool)['type'])?.startsWith('web_search_') === true;
}
