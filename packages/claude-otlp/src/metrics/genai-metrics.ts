import type { AgentSpan, Attributes, CapturedSpan, LlmSpan, ToolSpan } from '@spanprism/core';
import { ERROR_TYPE_OTHER, secondsBetween, SEMCONV as S, SEMCONV_LATEST as L } from '@spanprism/core/dialect';
import type { SemconvVersion } from '@spanprism/core/dialect';
import type { Instrument, Measurement } from './aggregation.ts';
import { callFacts } from './call-facts.ts';

/** What the GenAI conventions measure of one ended span. Usage of a call is measured once, on the call. */
export function genaiMeasurements(span: CapturedSpan, version: SemconvVersion): readonly Measurement[] {
  return MEASURES[version](span);
}

const NONE: readonly Measurement[] = [];

const MEASURES: Readonly<Record<SemconvVersion, (span: CapturedSpan) => readonly Measurement[]>> = {
  // Of the client's operations this version knows the calls alone: agents and tools run here.
  'v1.41': (span) => (span.kind === 'llm' ? callMeasurements(span) : NONE),
  latest: (span) => {
    switch (span.kind) {
      case 'llm':
        return inferenceMeasurements(span);
      case 'agent':
        return agentMeasurements(span);
      case 'tool':
        return toolMeasurements(span);
      case 'permission':
      case 'hook':
      case 'custom':
        return NONE;
    }
  },
};

const TOKEN_BOUNDS = [
  1, 4, 16, 64, 256, 1024, 4096, 16_384, 65_536, 262_144, 1_048_576, 4_194_304, 16_777_216, 67_108_864,
] as const;
const SECOND_BOUNDS = [0.01, 0.02, 0.04, 0.08, 0.16, 0.32, 0.64, 1.28, 2.56, 5.12, 10.24, 20.48, 40.96, 81.92] as const;

function seconds(name: string, description: string): Instrument {
  return { type: 'histogram', name, unit: 's', description, bounds: SECOND_BOUNDS };
}

function amounts(name: string, unit: string, description: string): Instrument {
  return { type: 'histogram', name, unit, description, bounds: TOKEN_BOUNDS };
}

function tokenCounter(name: string, description: string): Instrument {
  return { type: 'counter', name, unit: '{token}', description };
}

const TOKEN_USAGE = amounts(S.METRIC_GEN_AI_CLIENT_TOKEN_USAGE, '{token}', 'Tokens of one call');

interface CallTimes {
  readonly duration: Instrument;
  readonly firstChunk: Instrument;
}

const CALL_TIMES: CallTimes = {
  duration: seconds(S.METRIC_GEN_AI_CLIENT_OPERATION_DURATION, 'Length of a call, retries included'),
  firstChunk: seconds(
    S.METRIC_GEN_AI_CLIENT_OPERATION_TIME_TO_FIRST_CHUNK,
    'From a call to the first chunk of its answer',
  ),
};

const INFERENCE_TIMES: CallTimes = {
  duration: seconds(L.METRIC_GEN_AI_CLIENT_INFERENCE_DURATION, 'Length of a call, retries included'),
  firstChunk: seconds(
    L.METRIC_GEN_AI_CLIENT_INFERENCE_TIME_TO_FIRST_CHUNK,
    'From a call to the first chunk of its answer',
  ),
};

function callMeasurements(span: LlmSpan): readonly Measurement[] {
  const measured: Measurement[] = [];
  const { input, output } = callFacts(span);
  add(measured, TOKEN_USAGE, [span.usage?.inputTokens, input]);
  add(measured, TOKEN_USAGE, [span.usage?.outputTokens, output]);
  addCallTimes(measured, span, CALL_TIMES);
  return measured;
}

/** Nothing where there is no figure. */
function add(
  measured: Measurement[],
  instrument: Instrument,
  [value, attributes]: readonly [number | undefined, Attributes],
): void {
  if (value !== undefined) measured.push({ instrument, value, attributes });
}

function addCallTimes(measured: Measurement[], span: LlmSpan, { duration, firstChunk }: CallTimes): void {
  const { startedAt, endedAt, firstTokenAt } = span;
  const { facts } = callFacts(span);
  if (endedAt !== undefined) {
    const attributes = span.status === 'error' ? { ...facts, ...errorFacts(span) } : facts;
    measured.push({ instrument: duration, value: secondsBetween(startedAt, endedAt), attributes });
  }
  if (firstTokenAt !== undefined) {
    measured.push({ instrument: firstChunk, value: secondsBetween(startedAt, firstTokenAt), attributes: facts });
  }
}

const INPUT_TOKENS = amounts(L.METRIC_GEN_AI_CLIENT_INFERENCE_OPERATION_INPUT_TOKENS, '{token}', 'Input of one call');
const OUTPUT_TOKENS = amounts(
  L.METRIC_GEN_AI_CLIENT_INFERENCE_OPERATION_OUTPUT_TOKENS,
  '{token}',
  'Output of one call',
);

const USAGE_COUNTERS = [
  ['inputTokens', tokenCounter(L.METRIC_GEN_AI_CLIENT_INFERENCE_USAGE_INPUT_TOKENS, 'Input, caches included')],
  ['outputTokens', tokenCounter(L.METRIC_GEN_AI_CLIENT_INFERENCE_USAGE_OUTPUT_TOKENS, 'Output, thinking included')],
  ['cacheReadTokens', tokenCounter(L.METRIC_GEN_AI_CLIENT_INFERENCE_USAGE_CACHE_READ_INPUT_TOKENS, 'Read from cache')],
  [
    'cacheWriteTokens',
    tokenCounter(L.METRIC_GEN_AI_CLIENT_INFERENCE_USAGE_CACHE_WRITE_INPUT_TOKENS, 'Written to cache'),
  ],
  ['thinkingTokens', tokenCounter(L.METRIC_GEN_AI_CLIENT_INFERENCE_USAGE_REASONING_OUTPUT_TOKENS, 'Thinking')],
] as const;

function inferenceMeasurements(span: LlmSpan): readonly Measurement[] {
  const measured: Measurement[] = [];
  const { facts, modal } = callFacts(span);
  addCallTimes(measured, span, INFERENCE_TIMES);
  add(measured, INPUT_TOKENS, [span.usage?.inputTokens, facts]);
  add(measured, OUTPUT_TOKENS, [span.usage?.outputTokens, facts]);
  for (const [field, instrument] of USAGE_COUNTERS) add(measured, instrument, [span.usage?.[field], modal]);
  return measured;
}

const AGENT_DURATION = seconds(L.METRIC_GEN_AI_INVOKE_AGENT_DURATION, 'Length of one turn or subagent');
const AGENT_CALLS = amounts(
  L.METRIC_GEN_AI_INVOKE_AGENT_INFERENCE_CALLS,
  '{inference_call}',
  'Calls of one turn or subagent',
);
const AGENT_TOOLS = amounts(
  L.METRIC_GEN_AI_INVOKE_AGENT_TOOL_CALLS,
  '{tool_call}',
  'Tools called by one turn or subagent',
);
const TOOL_DURATION = seconds(L.METRIC_GEN_AI_EXECUTE_TOOL_DURATION, 'Length of one tool call');

function agentMeasurements(span: AgentSpan): readonly Measurement[] {
  const attributes = {
    [S.ATTR_GEN_AI_OPERATION_NAME]: S.GEN_AI_OPERATION_NAME_VALUE_INVOKE_AGENT,
    [S.ATTR_GEN_AI_AGENT_NAME]: span.agentName,
    ...errorFacts(span),
  };
  return [
    ...lengthOf(span, AGENT_DURATION, attributes),
    { instrument: AGENT_CALLS, value: span.llmCalls, attributes },
    { instrument: AGENT_TOOLS, value: span.toolCalls, attributes },
  ];
}

function toolMeasurements(span: ToolSpan): readonly Measurement[] {
  return lengthOf(span, TOOL_DURATION, {
    [S.ATTR_GEN_AI_OPERATION_NAME]: S.GEN_AI_OPERATION_NAME_VALUE_EXECUTE_TOOL,
    [S.ATTR_GEN_AI_TOOL_NAME]: span.toolName,
    ...errorFacts(span),
  });
}

function lengthOf(span: AgentSpan | ToolSpan, instrument: Instrument, attributes: Attributes): readonly Measurement[] {
  if (span.endedAt === undefined) return [];
  return [{ instrument, value: secondsBetween(span.startedAt, span.endedAt), attributes }];
}

function errorFacts(span: LlmSpan | AgentSpan | ToolSpan): Attributes {
  return span.status === 'error' ? { [S.ATTR_ERROR_TYPE]: span.error?.type ?? ERROR_TYPE_OTHER } : {};
}
