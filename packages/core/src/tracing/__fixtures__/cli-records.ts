import type { OtlpAttributes, OtlpGroup, OtlpLog, OtlpRequest, OtlpSpan } from '../../otlp/records.ts';

const TRACE = '0af7651916cd43dd8448eb211c80319c';
const GROUP = { resource: {}, scope: { name: 'com.anthropic.claude_code' } };

export interface Figures {
  readonly input: number;
  readonly output: number;
  readonly costUsd: number;
}

/** Span ids of the CLI's own, from numbers. */
export function cliId(number: number): string {
  return number.toString(16).padStart(16, '0');
}

/** Records as the CLI of one query makes them, at the time that `now` tells (nanoseconds). */
export class CliRecords {
  readonly #now: () => bigint;
  #ids = 0x1000;
  #sequence = 0;

  constructor(now: () => bigint) {
    this.#now = now;
  }

  prompt(turnSpanId: string, attributes: OtlpAttributes = {}): OtlpLog {
    return this.#log('user_prompt', turnSpanId, attributes);
  }

  interaction(turn: number, turnSpanId: string): OtlpSpan {
    return this.#span('interaction', { 'interaction.sequence': turn + 1 }, { spanId: turnSpanId });
  }

  call(parentSpanId: string, { input, output }: Figures, attributes: OtlpAttributes = {}): OtlpSpan {
    return this.#span(
      'llm_request',
      { model: 'm', query_source: 'sdk', input_tokens: input, output_tokens: output, ...attributes },
      { parentSpanId },
    );
  }

  priced(parentSpanId: string, { input, output, costUsd }: Figures, attributes: OtlpAttributes = {}): OtlpLog {
    const figures = { input_tokens: String(input), output_tokens: String(output), cost_usd: String(costUsd) };
    return this.#log('api_request', parentSpanId, { model: 'm', query_source: 'sdk', ...figures, ...attributes });
  }

  tool(parentSpanId: string, toolCallId: string, spanId: string): OtlpSpan {
    return this.#span('tool', { tool_use_id: toolCallId, tool_name: 'Agent' }, { parentSpanId, spanId });
  }

  #span(name: string, attributes: OtlpAttributes, place: { spanId?: string; parentSpanId?: string }): OtlpSpan {
    const at = this.#now();
    return {
      traceId: TRACE,
      spanId: place.spanId ?? cliId((this.#ids += 1)),
      ...(place.parentSpanId === undefined ? {} : { parentSpanId: place.parentSpanId }),
      name: `claude_code.${name}`,
      kind: 1,
      startedAt: at,
      endedAt: at,
      attributes: { 'session.id': 's', ...attributes },
      events: [],
      links: [],
      status: { code: 0 },
    };
  }

  #log(name: string, spanId: string, attributes: OtlpAttributes): OtlpLog {
    this.#sequence += 1;
    return {
      at: this.#now(),
      traceId: TRACE,
      spanId,
      attributes: { 'event.name': name, 'event.sequence': this.#sequence, 'session.id': 's', ...attributes },
    };
  }
}

export function groupOf<R>(records: readonly R[]): readonly OtlpGroup<R>[] {
  return [{ ...GROUP, records }];
}

export function tracesOf(...records: readonly OtlpSpan[]): OtlpRequest {
  return { signal: 'traces', groups: groupOf(records) };
}

export function logsOf(...records: readonly OtlpLog[]): OtlpRequest {
  return { signal: 'logs', groups: groupOf(records) };
}
