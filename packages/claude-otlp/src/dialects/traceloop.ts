import type { CapturedSpan, SpanKind } from '@spanprism/core';
import type { Overlay, Renames } from './overlay.ts';

/** OpenLLMetry has no kind for a model call: that is what `gen_ai.*` tells of. */
const KINDS: Readonly<Record<SpanKind, string | undefined>> = {
  agent: 'agent',
  llm: undefined,
  tool: 'tool',
  permission: 'task',
  hook: 'task',
  custom: 'workflow',
};

const ENTITY: Renames = {
  'gen_ai.input.messages': 'traceloop.entity.input',
  'gen_ai.output.messages': 'traceloop.entity.output',
  'gen_ai.tool.call.arguments': 'traceloop.entity.input',
  'gen_ai.tool.call.result': 'traceloop.entity.output',
};
const NONE: Renames = {};

/** Traceloop: OpenLLMetry's entities and association properties, beside the conventions on calls. */
export const TRACELOOP: Overlay = {
  name: 'traceloop',
  renames: ({ kind }) => (kind === 'llm' ? NONE : ENTITY),
  userKey: (key) => `traceloop.association.properties.${key === 'user.id' ? 'user_id' : key}`,
  put: (span, into) => {
    into.put('traceloop.span.kind', KINDS[span.kind]);
    into.put('traceloop.entity.name', entityName(span));
    into.put('traceloop.association.properties.session_id', span.sessionId);
  },
};

function entityName(span: CapturedSpan): string | undefined {
  switch (span.kind) {
    case 'agent':
      return span.agentName;
    case 'tool':
    case 'permission':
      return span.toolName;
    case 'hook':
      return span.hookName;
    case 'custom':
      return span.name;
    case 'llm':
      return undefined;
  }
}
