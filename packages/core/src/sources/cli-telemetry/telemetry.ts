import { decodeOnly, type DecodeOtlp } from '../../otlp/decode/decode-otlp.ts';
import type { OtlpEvent, OtlpLog, OtlpSpan, OtlpValue } from '../../otlp/records.ts';

/** All attributes of spans, log records and their events that are read here: no other is made of what a collector receives. */
const KEYS = [
  'agent.name',
  'agent_id',
  'agent_type',
  'anthropic.provider',
  'attempt',
  'cache_creation_1h_tokens',
  'cache_creation_5m_tokens',
  'cache_creation_tokens',
  'cache_read_tokens',
  'category',
  'command_name',
  'content',
  'cost_usd',
  'decision',
  'duration_ms',
  'error',
  'error.type',
  'error_class',
  'error_type',
  'event.name',
  'event.sequence',
  'gen_ai.provider.name',
  'gen_ai.request.model',
  'gen_ai.response.id',
  'gen_ai.tool.call.id',
  'hook_event',
  'hook_name',
  'input_tokens',
  'interaction.sequence',
  'message.id',
  'message.uuid',
  'model',
  'num_blocking',
  'num_hooks',
  'output',
  'output_tokens',
  'parent.source',
  'post_tokens',
  'pre_tokens',
  'prompt',
  'query_source',
  'query_source_safe',
  'request_id',
  'response',
  'session.id',
  'source',
  'status_code',
  'stop_reason',
  'success',
  'tool_input',
  'tool_name',
  'tool_parameters',
  'tool_use_id',
  'total_duration_ms',
  'trigger',
  'ttft_ms',
] as const;

export type TelemetryAttributes = { readonly [K in (typeof KEYS)[number]]?: OtlpValue };

// Records, with no more than that to be had of them.

interface Attributed {
  readonly attributes: TelemetryAttributes;
}

export type TelemetryLog = Omit<OtlpLog, 'attributes'> & Attributed;

export interface TelemetrySpan extends Omit<OtlpSpan, 'attributes' | 'events'>, Attributed {
  readonly events: readonly (Omit<OtlpEvent, 'attributes'> & Attributed)[];
}

/** Reads what the CLI exports as far as anything is made of it; metrics, which go on to sinks, as they are. */
export const decodeTelemetry: DecodeOtlp = decodeOnly(KEYS);
