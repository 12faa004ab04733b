import { asNumber, asObject, asString, isObject, type JsonObject } from '../json.ts';
import type { WireUsage } from '../messages-api/reply.ts';

/** One server-sent event of a recorded response. */
export interface RecordedStreamEvent {
  readonly atMs: number;
  readonly event: string;
  readonly data: JsonObject;
}

/** How a recorded response ended; `none` if it was still open when the recording ended. */
export type RecordedEnd = 'complete' | 'error' | 'cut' | 'hang' | 'clientClosed' | 'none';

/** One request to the Messages API and its response, from all lines of its `seq`. */
export interface RecordedExchange {
  readonly seq: number;
  readonly atMs: number;
  readonly method: string;
  readonly url: string;
  readonly path: string;
  readonly headers: JsonObject;
  /** System prompt and tool definitions are shortened unless the wire was kept whole. */
  readonly body: JsonObject;
  readonly agentId?: string;
  readonly sessionId?: string;
  /** Absent if no response headers were sent. */
  readonly status?: number;
  readonly responseHeaders?: JsonObject;
  readonly requestId?: string;
  readonly messageId?: string;
  readonly model?: string;
  /** The body of a response that was no stream. */
  readonly responseBody?: JsonObject;
  readonly events: readonly RecordedStreamEvent[];
  /** Of `message_start`. */
  readonly startUsage?: WireUsage;
  /** Of `message_delta`, or of a response that was no stream: the final figures. */
  readonly usage?: WireUsage;
  readonly stopReason?: string;
  readonly end: RecordedEnd;
  readonly endedAtMs?: number;
}

/** What a recording's wire adds up to: the column `wire 2xx` of the reference table. */
export interface WireSummary {
  /** Calls of `POST /v1/messages`. */
  readonly asked: number;
  /** Those answered with 2xx, also if the answer broke off. */
  readonly answered: number;
  /** Sums of the final figures. */
  readonly inputTokens: number;
  readonly outputTokens: number;
}

/** Groups the lines of a `wire.jsonl`. */
export function readExchanges(lines: readonly JsonObject[]): readonly RecordedExchange[] {
  const bySeq = new Map<number, JsonObject[]>();
  for (const line of lines) {
    const seq = asNumber(line['seq']) ?? -1;
    bySeq.set(seq, [...(bySeq.get(seq) ?? []), line]);
  }
  return [...bySeq].map(([seq, own]) => readExchange(seq, own));
}

/** Whether an exchange is a call that the API charges for. */
export function isMessagesCall(exchange: RecordedExchange): boolean {
  return exchange.method === 'POST' && exchange.path === '/v1/messages';
}

/** Adds up the calls of a recording. */
export function summarizeWire(exchanges: readonly RecordedExchange[]): WireSummary {
  const calls = exchanges.filter(isMessagesCall);
  const answered = calls.filter(({ status }) => status !== undefined && status >= 200 && status < 300);
  const sum = (field: 'input_tokens' | 'output_tokens'): number =>
    answered.reduce((total, call) => total + (call.usage?.[field] ?? 0), 0);
  return {
    asked: calls.length,
    answered: answered.length,
    inputTokens: sum('input_tokens'),
    outputTokens: sum('output_tokens'),
  };
}

/** Token counts of the API; undefined unless input and output are both there. */
export function readWireUsage(value: unknown): WireUsage | undefined {
  const usage = asObject(value);
  const isUsage = asNumber(usage['input_tokens']) !== undefined && asNumber(usage['output_tokens']) !== undefined;
  return isUsage ? (value as WireUsage) : undefined;
}

function readExchange(seq: number, lines: readonly JsonObject[]): RecordedExchange {
  const find = (name: string): JsonObject | undefined => lines.find((line) => line['ev'] === name);
  const request = find('request') ?? {};
  const headers = asObject(request['headers']);
  const url = asString(request['url']) ?? '';
  const events = lines.filter((line) => line['ev'] === 'sse').map(readEvent);
  const { end, endedAtMs } = readEnd(lines);
  return {
    seq,
    atMs: timeOf(request),
    method: asString(request['method']) ?? '',
    url,
    path: url.split('?')[0] ?? url,
    headers,
    body: asObject(request['body']),
    ...defined('agentId', asString(headers['x-claude-code-agent-id'])),
    ...defined('sessionId', asString(headers['x-claude-code-session-id'])),
    ...readResponse(find('response') ?? find('response_start'), events),
    events,
    end,
    ...defined('endedAtMs', endedAtMs),
  };
}

type ResponsePart = Pick<
  RecordedExchange,
  | 'status'
  | 'responseHeaders'
  | 'requestId'
  | 'messageId'
  | 'model'
  | 'responseBody'
  | 'startUsage'
  | 'usage'
  | 'stopReason'
>;

function readResponse(head: JsonObject | undefined, events: readonly RecordedStreamEvent[]): ResponsePart {
  if (head === undefined) return {};
  const headers = asObject(head['headers']);
  const body = isObject(head['body']) ? head['body'] : undefined;
  const data = (name: string): JsonObject => asObject(events.find(({ event }) => event === name)?.data);
  const delta = data('message_delta');
  const message = body ?? asObject(data('message_start')['message']);
  return {
    ...defined('status', asNumber(head['status'])),
    responseHeaders: headers,
    ...defined('requestId', asString(headers['request-id'])),
    ...defined('messageId', asString(message['id'])),
    ...defined('model', asString(message['model'])),
    ...defined('responseBody', body),
    ...defined('startUsage', readWireUsage(message['usage'])),
    ...defined('usage', readWireUsage(body === undefined ? delta['usage'] : body['usage'])),
    ...defined('stopReason', asString(body?.['stop_reason'] ?? asObject(delta['delta'])['stop_reason'])),
  };
}

function readEvent(line: JsonObject): RecordedStreamEvent {
  return { atMs: timeOf(line), event: asString(line['event']) ?? '', data: asObject(line['data']) };
}

/** First match wins: a stream that its client left is noted as `complete` as well, and so is one that broke off. */
const ENDS: readonly (readonly [RecordedEnd, (line: JsonObject) => boolean])[] = [
  ['error', (line) => line['how'] === 'after error event' || (asNumber(line['status']) ?? 0) >= 400],
  ['cut', (line) => line['how'] === 'socket destroyed mid-stream'],
  ['hang', (line) => line['ev'] === 'hang'],
  ['clientClosed', (line) => line['ev'] === 'client_closed_before_end'],
  ['complete', (line) => line['how'] === 'complete' || line['ev'] === 'response'],
];

function readEnd(lines: readonly JsonObject[]): { readonly end: RecordedEnd; readonly endedAtMs?: number } {
  const end = ENDS.find(([, isMet]) => lines.some(isMet))?.[0];
  const last = lines.at(-1);
  return end === undefined || last === undefined ? { end: 'none' } : { end, endedAtMs: timeOf(last) };
}

function timeOf(line: JsonObject): number {
  return asNumber(line['t_ms']) ?? 0;
}

function defined<Name extends string, Value>(name: Name, value: Value | undefined): { readonly [Key in Name]?: Value } {
  return (value === undefined ? {} : { [name]: value }) as { readonly [Key in Name]?: Value };
}
