import type { SpanKind } from '@spanprism/core';
import { jsonText, userTags } from '@spanprism/core/dialect';
import type { Overlay } from './overlay.ts';

const TYPES: Readonly<Record<SpanKind, string>> = {
  agent: 'task',
  llm: 'llm',
  tool: 'tool',
  permission: 'function',
  hook: 'function',
  custom: 'function',
};

/**
 * Braintrust maps the GenAI conventions by itself and adds up usage over all spans, so that usage stands on calls alone.
 * Its own keys say the type of a span, tags and metadata.
 */
export const BRAINTRUST: Overlay = {
  name: 'braintrust',
  renames: ({ kind, attributes }) => ({
    ...(kind === 'tool'
      ? { 'gen_ai.tool.call.arguments': 'braintrust.input', 'gen_ai.tool.call.result': 'braintrust.output' }
      : {}),
    ...(userTags(attributes) === undefined ? {} : { tags: null }),
  }),
  userKey: (key) => `braintrust.metadata.${key}`,
  put: ({ kind, attributes, sessionId }, into) => {
    into.put('braintrust.span_attributes', jsonText({ type: TYPES[kind] }));
    into.put('braintrust.metadata.session_id', sessionId);
    into.put('braintrust.tags', userTags(attributes));
  },
};
