import type { CapturedSpan } from '../model/sink.ts';
import type { AgentSpan, Issue, LlmSpan, ToolSpan } from '../model/span.ts';
import { msBetween } from '../model/time.ts';
import type { Totals, Usage } from '../model/usage.ts';
import type { AttributeTaker, DialectEvent } from './dialect.ts';
import { jsonText } from './json-text.ts';

/** What the conventions have no name for, all of it under `claude.`: facts of the product that no backend adds up by itself. */
export function putClaudeAttributes(span: CapturedSpan, into: AttributeTaker): void {
  putCommonFacts(span, into);
  putFacts(span, into);
}

const NONE: readonly DialectEvent[] = [];

/** Events under the same prefix; what happened in words is there only if capture kept it. */
export function claudeEvents(span: CapturedSpan): readonly DialectEvent[] {
  if (span.events.length === 0) return NONE;
  return span.events.map(({ name, at, attributes, content }) => {
    const event = `claude.${name}`;
    const facts = Object.entries(attributes).map(([key, value]) => [`${event}.${key}`, value] as const);
    const words = content === undefined ? {} : { [`${event}.content`]: content };
    return { name: event, at, attributes: { ...Object.fromEntries(facts), ...words } };
  });
}

function putCommonFacts(span: CapturedSpan, into: AttributeTaker): void {
  const { contentBytes, issues } = span;
  into.put('claude.key', span.key);
  into.put('claude.seen_by', span.seenBy);
  // Neither a failure nor a success: OpenTelemetry's status has no word for it.
  if (span.status === 'cancelled') into.put('claude.cancelled', true);
  if (issues.length > 0) {
    into.put('claude.issues', issueCodes(issues));
    into.put('claude.issue_details', issueDetails(issues));
  }
  into.put('claude.input.bytes', contentBytes.input);
  into.put('claude.output.bytes', contentBytes.output);
  into.put('claude.system_instructions.bytes', contentBytes.systemInstructions);
  into.put('claude.tool_definitions.bytes', contentBytes.toolDefinitions);
}

function issueCodes(issues: readonly Issue[]): readonly string[] {
  const [first] = issues;
  return issues.length === 1 && first !== undefined ? [first.code] : [...new Set(issues.map((issue) => issue.code))];
}

/** The sentence that most spans of a run have in common, and its JSON. */
let lastDetails: { readonly code: string; readonly message: string; readonly text: string | undefined } | undefined;

function issueDetails(issues: readonly Issue[]): string | undefined {
  const [first] = issues;
  const isPlain = issues.length === 1 && first?.field === undefined && first?.values === undefined;
  if (!isPlain || first === undefined) return jsonText(issues);
  const { code, message } = first;
  if (lastDetails?.code !== code || lastDetails.message !== message) {
    lastDetails = { code, message, text: jsonText([{ code, message }]) };
  }
  return lastDetails.text;
}

function putFacts(span: CapturedSpan, into: AttributeTaker): void {
  switch (span.kind) {
    case 'agent':
      return putAgentFacts(span, into);
    case 'llm':
      return putLlmFacts(span, into);
    case 'tool':
      return putToolFacts(span, into);
    case 'permission':
      into.put('claude.span.kind', span.kind);
      into.put('claude.permission.tool', span.toolName);
      into.put('claude.permission.tool_call_id', span.toolCallId);
      into.put('claude.permission.decision', span.decision);
      into.put('claude.permission.decided_by', span.decidedBy);
      return;
    case 'hook':
      into.put('claude.span.kind', span.kind);
      into.put('claude.hook.event', span.hookEvent);
      into.put('claude.hook.name', span.hookName);
      into.put('claude.hook.blocked', span.blocked);
      return;
    case 'custom':
      into.put('claude.span.kind', span.kind);
  }
}

function putAgentFacts(span: AgentSpan, into: AttributeTaker): void {
  const hasEnded = span.endedAt !== undefined;
  into.put('claude.agent.role', span.role);
  into.put('claude.outcome', hasEnded ? span.outcome : undefined);
  into.put('claude.trigger', span.trigger);
  into.put('claude.is_segment', span.isSegment);
  into.put('claude.cwd', span.cwd);
  into.put('claude.permission_mode', span.permissionMode);
  into.put('claude.cli.version', span.cliVersion);
  into.put('claude.tool_names', span.toolNames);
  into.put('claude.startup_ms', span.startupMs);
  into.put('claude.num_turns', span.turnCount);
  into.put('claude.llm_calls', hasEnded ? span.llmCalls : undefined);
  into.put('claude.tool_calls', hasEnded ? span.toolCalls : undefined);
  into.put('claude.permission_denials', hasEnded ? span.permissionDenials : undefined);
  putTotals(into, 'claude.turn', span.totals);
  putTotals(into, 'claude.turn.unattributed', span.unattributed);
}

function putLlmFacts(span: LlmSpan, into: AttributeTaker): void {
  into.put('claude.request_id', span.requestId);
  into.put('claude.purpose', span.purpose);
  into.put('claude.attempts', span.attempts);
  into.put('claude.stop_reason', span.stopReason);
  into.put('claude.cost_usd', span.costUsd);
  into.put('claude.cost_basis', span.costBasis);
  into.put('claude.usage.cache_write_5m_tokens', span.usage?.cacheWrite5mTokens);
  into.put('claude.usage.cache_write_1h_tokens', span.usage?.cacheWrite1hTokens);
}

function putToolFacts(span: ToolSpan, into: AttributeTaker): void {
  const { executionStartedAt } = span;
  into.put('claude.mcp.server', span.mcpServer);
  into.put('claude.tool.denied_by', span.denied?.decidedBy);
  if (span.inBackground) into.put('claude.tool.in_background', true);
  // Permission, hooks and the queue: what passed before the tool itself began to run.
  if (executionStartedAt !== undefined) into.put('claude.tool.wait_ms', msBetween(span.startedAt, executionStartedAt));
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
function putTotals(into: AttributeTaker, prefix: string, totals: Totals | undefined): void {
  if (totals === undefined) return;
  for (const field of Object.keys(TOTAL_NAMES) as (keyof Usage)[]) {
    into.put(`${prefix}.${TOTAL_NAMES[field]}`, totals.usage[field]);
  }
  into.put(`${prefix}.cost_usd`, totals.costUsd);
  into.put(`${prefix}.by_model`, totals.byModel === undefined ? undefined : jsonText(totals.byModel));
}
