import type { CapturedSpan } from '@spanprism/core';
import type { Overlay, Renames } from './overlay.ts';
import { totalTokens } from './total-tokens.ts';

/** What Sentry's conventions call otherwise, or call deprecated. */
const RENAMES: Renames = {
  'gen_ai.system': null,
  'gen_ai.tool.type': null,
  'claude.cost_usd': 'gen_ai.cost.total_tokens',
};

const OPERATIONS = { agent: 'gen_ai.invoke_agent', llm: 'gen_ai.chat', tool: 'gen_ai.execute_tool' } as const;

/** Sentry over OTLP: the ops that its AI Agents views look for, and what those views insist on. */
export const SENTRY_OTLP: Overlay = {
  name: 'sentry-otlp',
  renames: () => RENAMES,
  put: (span, into) => {
    into.put('sentry.op', operationOf(span));
    into.put('sentry.origin', 'auto.ai.claude_agent_sdk');
    if (span.kind !== 'llm') return;
    // A call without it is missing from the dashboard.
    into.put('gen_ai.response.model', span.responseModel ?? span.requestModel);
    into.put('gen_ai.usage.total_tokens', totalTokens(span.usage));
  },
};

function operationOf({ kind }: CapturedSpan): string | undefined {
  return kind === 'agent' || kind === 'llm' || kind === 'tool' ? OPERATIONS[kind] : undefined;
}
