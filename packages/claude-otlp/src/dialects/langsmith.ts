import type { Message, SpanKind } from '@spanprism/core';
import { jsonText, userTags } from '@spanprism/core/dialect';
import type { Overlay, Renames } from './overlay.ts';
import { plainMessages } from './plain-messages.ts';
import { totalTokens } from './total-tokens.ts';

const RUN_TYPES: Readonly<Record<SpanKind, string>> = {
  agent: 'chain',
  llm: 'llm',
  tool: 'tool',
  permission: 'chain',
  hook: 'chain',
  custom: 'chain',
};

/** Its table of attributes has no `gen_ai.input.messages`; what a run was given and gave is `input.value` and `output.value`. */
const RENAMES: Renames = {
  'gen_ai.input.messages': null,
  'gen_ai.output.messages': null,
  'gen_ai.tool.call.arguments': 'input.value',
  'gen_ai.tool.call.result': 'output.value',
  tags: null,
};

/** LangSmith: run types, threads (by the metadata key `thread_id`), tags, and messages as its own SDKs send them. */
export const LANGSMITH: Overlay = {
  name: 'langsmith',
  renames: () => RENAMES,
  userKey: (key) => `langsmith.metadata.${key}`,
  put: (span, into) => {
    into.put('langsmith.span.kind', RUN_TYPES[span.kind]);
    into.put('langsmith.metadata.thread_id', span.sessionId);
    into.put('langsmith.span.tags', userTags(span.attributes)?.join(','));
    if (span.kind === 'llm') into.put('gen_ai.usage.total_tokens', totalTokens(span.usage));
    if (span.kind !== 'llm' && span.kind !== 'agent') return;
    into.put('input.value', messagesJson(span.input));
    into.put('output.value', messagesJson(span.output));
  },
  readsExceptionEvents: true,
};

function messagesJson(messages: readonly Message[] | undefined): string | undefined {
  return messages === undefined ? undefined : jsonText({ messages: plainMessages(messages) });
}
