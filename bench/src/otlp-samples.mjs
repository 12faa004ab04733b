import { TraceFlags } from '@opentelemetry/api';
import { BasicTracerProvider, InMemorySpanExporter, SimpleSpanProcessor } from '@opentelemetry/sdk-trace-base';

export const SIZES = [
  { label: '2 KB span, 30 attributes', textBytes: 600, spans: 128 },
  { label: '50 KB span, 30 attributes', textBytes: 48_600, spans: 16 },
];

/** The same spans twice: as the OTel SDK hands them to its exporters, and as our records. */
export function sampleSpans({ textBytes, spans }) {
  const exporter = new InMemorySpanExporter();
  const provider = new BasicTracerProvider({ spanProcessors: [new SimpleSpanProcessor(exporter)] });
  const tracer = provider.getTracer('bench', '1.0.0');
  for (let index = 0; index < spans; index++) {
    tracer.startSpan(`chat claude-${index % 3}`, { kind: 2, attributes: attributes(index, textBytes) }).end();
  }
  const ended = exporter.getFinishedSpans();
  if (ended.some((span) => (span.spanContext().traceFlags & TraceFlags.SAMPLED) === 0))
    throw new Error('unsampled span');
  const resource = ended[0].resource.attributes;
  return { ended, groups: [{ resource, scope: { name: 'bench', version: '1.0.0' }, records: ended.map(toRecord) }] };
}

/** The attribute maps are the very same objects. */
function toRecord(span) {
  return {
    traceId: span.spanContext().traceId,
    spanId: span.spanContext().spanId,
    flags: 0x101,
    name: span.name,
    kind: span.kind + 1,
    startedAt: toNanos(span.startTime),
    endedAt: toNanos(span.endTime),
    attributes: span.attributes,
    events: [],
    links: [],
    status: { code: 0 },
  };
}

function toNanos([seconds, nanos]) {
  return BigInt(seconds) * 1_000_000_000n + BigInt(nanos);
}

/** What an llm span of an agent carries: names, ids, token counts, and its text in one attribute. */
function attributes(index, textBytes) {
  const result = {
    'gen_ai.operation.name': 'chat',
    'gen_ai.provider.name': 'anthropic',
    'gen_ai.request.model': 'claude-sonnet-4-5-20250929',
    'gen_ai.response.model': 'claude-sonnet-4-5-20250929',
    'gen_ai.response.id': `msg_01${String(index).padStart(20, '0')}`,
    'gen_ai.conversation.id': '6f1c2d34-5b6a-4789-8abc-0123456789ab',
    'gen_ai.response.finish_reasons': ['tool_use'],
    'gen_ai.usage.input_tokens': 12_345 + index,
    'gen_ai.usage.output_tokens': 678 + index,
    'gen_ai.usage.cache_read.input_tokens': 11_000,
    'gen_ai.usage.cache_creation.input_tokens': 512,
    'claude.cost_usd': 0.012_345 + index / 1000,
    'claude.streaming': true,
    'gen_ai.output.messages': text(index, textBytes),
  };
  for (let extra = Object.keys(result).length; extra < 30; extra++)
    result[`app.attribute.number_${extra}`] = `value ${extra}/${index}`;
  return flat(result);
}

/** As it comes from parsed JSON: strings made of one piece, which all encoders read faster than concatenated ones. */
function flat(values) {
  return JSON.parse(JSON.stringify(values));
}

const WORDS =
  '{"role":"assistant","parts":[{"type":"text","content":"I will read the file first, then change the\\nfunction."}]}\n';

function text(index, bytes) {
  return `${index} ${WORDS.repeat(Math.ceil(bytes / WORDS.length))}`.slice(0, bytes);
}
