import type { Exchange } from '../messages-api/exchange.ts';
import type { JsonObject } from '../json.ts';

/** The lines of `wire.jsonl` for one exchange: figures, ids and statuses, and no word of what was asked or answered. */
export function wireLines(exchange: Exchange, seq: number, hidesRequestIds: boolean): readonly JsonObject[] {
  const { request, status, receivedAt, endedAt = receivedAt } = exchange;
  const ids = {
    'x-claude-code-session-id': request.sessionId,
    'x-claude-code-agent-id': request.agentId,
  };
  const asked = {
    ev: 'request',
    method: request.method,
    url: request.path,
    headers: JSON.parse(JSON.stringify(ids)) as JsonObject,
    body: { model: request.model, stream: request.isStreaming },
  };
  const headers = hidesRequestIds ? {} : { 'request-id': exchange.requestId };
  const isStream = status === 200 && exchange.startUsage !== undefined && request.isStreaming;
  const answered = isStream
    ? [{ t_ms: receivedAt, ev: 'response_start', status, headers }, ...streamed(exchange)]
    : status === undefined
      ? []
      : [{ t_ms: endedAt, ev: 'response', status, headers, body: wholeBody(exchange) }];
  return [{ t_ms: receivedAt, ...asked }, ...answered, ...ending(exchange)].map((line) => ({ seq, ...line }));
}

function wholeBody({ messageId, model, usage, stopReason }: Exchange): JsonObject {
  if (usage === undefined) return { type: 'error' };
  return { type: 'message', id: messageId, model, usage, stop_reason: stopReason };
}

function streamed({ receivedAt, endedAt = receivedAt, ...exchange }: Exchange): readonly JsonObject[] {
  const { messageId: id, model, startUsage, usage, stopReason } = exchange;
  const sse = (t_ms: number, data: JsonObject & { readonly type: string }): JsonObject => {
    return { t_ms, ev: 'sse', event: data.type, data };
  };
  return [
    sse(receivedAt, { type: 'message_start', message: { id, model, usage: startUsage } }),
    ...(usage === undefined
      ? []
      : [
          sse(endedAt, { type: 'message_delta', delta: { stop_reason: stopReason }, usage }),
          sse(endedAt, { type: 'message_stop' }),
        ]),
  ];
}

function ending({ end, endedAt, receivedAt, status }: Exchange): readonly JsonObject[] {
  const t_ms = endedAt ?? receivedAt;
  if (end === 'clientClosed') return [{ t_ms, ev: 'client_closed_before_end' }];
  return end === 'complete' && status === 200 ? [{ t_ms, ev: 'response_end', how: 'complete' }] : [];
}
