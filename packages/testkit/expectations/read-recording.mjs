// Reads one recording folder into plain figures: what went over the wire, what the stream said, what the telemetry said.
// Shares no code with the packages, so that the table and the code can be wrong only independently.
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';

const readLines = (path) =>
  existsSync(path)
    ? readFileSync(path, 'utf8')
        .split('\n')
        .filter((line) => line !== '')
        .map((line) => JSON.parse(line))
    : [];
const readJson = (path) => (existsSync(path) ? JSON.parse(readFileSync(path, 'utf8')) : []);
const attributesOf = (list = []) => Object.fromEntries(list.map(({ key, value }) => [key, Object.values(value)[0]]));

/** Anthropic's exclusive input turned into the inclusive one; the split only where it is said. */
export const inclusiveUsage = (usage) => {
  const read = usage.cache_read_input_tokens ?? 0;
  const write = usage.cache_creation_input_tokens ?? 0;
  return {
    inputTokens: usage.input_tokens + read + write,
    cacheReadTokens: read,
    cacheWriteTokens: write,
    ...(usage.cache_creation && {
      cacheWrite5mTokens: usage.cache_creation.ephemeral_5m_input_tokens,
      cacheWrite1hTokens: usage.cache_creation.ephemeral_1h_input_tokens,
    }),
    outputTokens: usage.output_tokens,
    ...(usage.output_tokens_details && {
      thinkingTokens: usage.output_tokens_details.thinking_tokens,
    }),
  };
};

const onWire = {
  response(call, event) {
    call.endedAt = event.t_ms;
    if (event.status !== 200) return;
    call.messageId = event.body.id;
    call.finalUsage = event.body.usage;
    call.answered = true;
  },
  sse(call, { event, data, t_ms: at }) {
    if (event === 'message_start') {
      call.messageId = data.message.id;
      call.startUsage = data.message.usage;
    }
    if (event === 'message_delta') call.finalUsage = { ...call.startUsage, ...data.usage };
    if (event === 'message_stop') {
      call.endedAt = at;
      call.answered = true;
    }
  },
};

// count_tokens and probes are requests, but no calls of the model.
const isModelCall = (event) =>
  event.ev === 'request' && event.method === 'POST' && /^\/v1\/messages(\?|$)/.test(event.url);

const readCalls = (folder) => {
  const calls = new Map();
  for (const event of readLines(join(folder, 'wire.jsonl'))) {
    if (isModelCall(event)) {
      const agent = event.headers['x-claude-code-agent-id'] ?? 'main';
      calls.set(event.seq, { wireSeq: event.seq, startedAt: event.t_ms, model: event.body.model, agent });
    }
    const call = calls.get(event.seq);
    if (!call) continue;
    call.requestId ??= event.headers?.['request-id'];
    onWire[event.ev]?.(call, event);
  }
  return [...calls.values()];
};

const readSpans = (folder) =>
  readJson(join(folder, 'otlp-traces.json'))
    .flatMap((post) => post.payload.resourceSpans ?? [])
    .flatMap((resource) => resource.scopeSpans)
    .flatMap((scope) => scope.spans)
    .map((span) => ({
      name: span.name,
      ...attributesOf(span.attributes),
      attemptEvents: span.events.filter(({ name }) => name === 'gen_ai.request.attempt').length,
    }));

const readApiRequests = (folder) =>
  readJson(join(folder, 'otlp-logs.json'))
    .flatMap((post) => post.payload.resourceLogs ?? [])
    .flatMap((resource) => resource.scopeLogs)
    .flatMap((scope) => scope.logRecords)
    .map((record) => attributesOf(record.attributes))
    .filter((record) => record['event.name'] === 'api_request');

const readMetricPoints = (folder) =>
  readJson(join(folder, 'otlp-metrics.json')).flatMap((post) =>
    (post.payload.resourceMetrics ?? [])
      .flatMap((resource) => resource.scopeMetrics)
      .flatMap((scope) => scope.metrics)
      .filter(({ name }) => /\.(token|cost)\.usage$/.test(name))
      .flatMap((metric) =>
        metric.sum.dataPoints.map((point) => ({
          receivedAt: post.received_ms,
          field: metric.name.endsWith('cost.usage') ? 'cost' : attributesOf(point.attributes).type,
          value: point.asDouble ?? Number(point.asInt),
        })),
      ),
  );

export const readRecording = (folder) => {
  const messages = readLines(join(folder, 'sdk-messages.jsonl'));
  const labels = [...new Set(messages.map(({ query }) => query))];
  const driver = readLines(join(folder, 'driver-events.jsonl'));
  return {
    calls: readCalls(folder),
    messages: messages.map(({ t_ms, query, message }) => ({ at: t_ms, query: labels.indexOf(query), ...message })),
    queryEnds: driver.filter(({ ev }) => /^iterator|exit$/.test(ev)).map(({ t_ms }) => t_ms),
    spans: readSpans(folder),
    apiRequests: readApiRequests(folder),
    metricPoints: readMetricPoints(folder),
  };
};
