import { msBetween } from '@spanprism/core';
import type { AgentSpan, CapturedSpan, LlmSpan, ToolSpan, Totals, Usage } from '@spanprism/core';
import type { DialectAttributes, DialectEvent, DialectValue } from '../dialect.ts';
import { jsonText } from './json-text.ts';

/** Attributes with gaps, as they are written down; `present` closes the gaps. */
export type SparseAttributes = Readonly<Record<string, DialectValue | undefined>>;

/** What the conventions have no name for, all of it under `claude.`: facts of the product that no backend adds up by itself. */
export function claudeAttributes(span: CapturedSpan): SparseAttributes {
  return { ...commonFacts(span), ...factsOf(span) };
}

/** Events under the same prefix; what happened in words is there only if capture kept it. */
export function claudeEvents(span: CapturedSpan): readonly DialectEvent[] {
  return span.events.map(({ name, at, attributes, content }) => {
    const event = `claude.${name}`;
    const facts = Object.entries(attributes).map(([key, value]) => [`${event}.${key}`, value] as const);
    const words = content === undefined ? {} : { [`${event}.content`]: content };
    return { name: event, at, attributes: { ...Object.fromEntries(facts), ...words } };
  });
}

/** Closes the gaps: a value that is not known is absent, never empty or 0. */
export function present(attributes: SparseAttributes): DialectAttributes {
  const known: Record<string, DialectValue> = {};
  for (const [key, value] of Object.entries(attributes)) {
    if (value !== undefined) known[key] = value;
  }
  return known;
}

function commonFacts(span: CapturedSpan): SparseAttributes {
  const { contentBytes, issues } = span;
  return {
    'claude.key': span.key,
    'claude.seen_by': span.seenBy,
    // Neither a failure nor a success: OpenTelemetry's status has no word for it.
    'claude.cancelled': span.status === 'cancelled' ? true : undefined,
    'claude.issues': issues.length === 0 ? undefined : [...new Set(issues.map((issue) => issue.code))],
    'claude.issue_details': issues.length === 0 ? undefined : jsonText(issues),
    'claude.input.bytes': contentBytes.input,
    'claude.output.bytes': contentBytes.output,
    'claude.system_instructions.bytes': contentBytes.systemInstructions,
    'claude.tool_definitions.bytes': contentBytes.toolDefinitions,
  };
}

function factsOf(span: CapturedSpan): SparseAttributes {
  switch (span.kind) {
    case 'agent':
      return agentFacts(span);
    case 'llm':
      return llmFacts(span);
    case 'tool':
      return toolFacts(span);
    case 'permission':
      return {
        'claude.span.kind': span.kind,
        'claude.permission.tool': span.toolName,
        'claude.permission.tool_call_id': span.toolCallId,
        'claude.permission.decision': span.decision,
        'claude.permission.decided_by': span.decidedBy,
      };
    case 'hook':
      return {
        'claude.span.kind': span.kind,
        'claude.hook.event': span.hookEvent,
        'claude.hook.name': span.hookName,
        'claude.hook.blocked': span.blocked,
      };
    case 'custom':
      return { 'claude.span.kind': span.kind };
  }
}

function agentFacts(span: AgentSpan): SparseAttributes {
  const hasEnded = span.endedAt !== undefined;
  return {
    'claude.agent.role': span.role,
    'claude.outcome': hasEnded ? span.outcome : undefined,
    'claude.trigger': span.trigger,
    'claude.is_segment': span.isSegment,
    'claude.cwd': span.cwd,
    'claude.permission_mode': span.permissionMode,
    'claude.cli.version': span.cliVersion,
    'claude.tool_names': span.toolNames,
    'claude.startup_ms': span.startupMs,
    'claude.num_turns': span.turnCount,
    'claude.llm_calls': hasEnded ? span.llmCalls : undefined,
    'claude.tool_calls': hasEnded ? span.toolCalls : undefined,
    'claude.permission_denials': hasEnded ? span.permissionDenials : undefined,
    ...totalsFacts('claude.turn', span.totals),
    ...totalsFacts('claude.turn.unattributed', span.unattributed),
  };
}

function llmFacts(span: LlmSpan): SparseAttributes {
  return {
    'claude.request_id': span.requestId,
    'claude.purpose': span.purpose,
    'claude.attempts': span.attempts,
    'claude.stop_reason': span.stopReason,
    'claude.cost_usd': span.costUsd,
    'claude.cost_basis': span.costBasis,
    'claude.usage.cache_write_5m_tokens': span.usage?.cacheWrite5mTokens,
    'claude.usage.cache_write_1h_tokens': span.usage?.cacheWrite1hTokens,
  };
}

function toolFacts(span: ToolSpan): SparseAttributes {
  const { executionStartedAt } = span;
  return {
    'claude.mcp.server': span.mcpServer,
    'claude.tool.denied_by': span.denied?.decidedBy,
    'claude.tool.in_background': span.inBackground ? true : undefined,
    // Permission, hooks and the queue: what passed before the tool itself began to run.
    'claude.tool.wait_ms': executionStartedAt === undefined ? undefined : msBetween(span.startedAt, executionStartedAt),
  };
}

const TOTAL_NAMES = {
  inputTokens: 'input_tokens',
  outputTokens: 'output_tokens',
  cacheReadTokens: 'cache_read_tokens',
  cacheWriteTokens: 'cache_write_tokens',
  cacheWrite5mTokens: 'cache_write_5m_tokens',
  cacheWrite1hTokens: 'cache_write_1h_tokens',
  thinkingTokens: 'thinking_tokens',
} as const satisfies Record<keyof Usage, string>;

// Not `gen_ai.usage.*`: backends add those up over the spans of a trace, and the calls below carry them already.
function totalsFacts(prefix: string, totals: Totals | undefined): SparseAttributes {
  if (totals === undefined) return {};
  const facts: Record<string, DialectValue | undefined> = {};
  for (const field of Object.keys(TOTAL_NAMES) as (keyof Usage)[]) {
    facts[`${prefix}.${TOTAL_NAMES[field]}`] = totals.usage[field];
  }
  facts[`${prefix}.cost_usd`] = totals.costUsd;
  facts[`${prefix}.by_model`] = totals.byModel === undefined ? undefined : jsonText(totals.byModel);
  return facts;
}
