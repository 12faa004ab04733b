import type { SpanKind } from '@spanprism/core';
import type { Overlay, Renames } from './overlay.ts';

const TYPES: Readonly<Record<SpanKind, string>> = {
  agent: 'DEFAULT',
  llm: 'LLM',
  tool: 'TOOL',
  permission: 'DEFAULT',
  hook: 'DEFAULT',
  custom: 'DEFAULT',
};

const USER: Renames = { 'user.id': 'lmnr.association.properties.user_id' };
/** Of calls it reads the conventions' messages; of everything else its own two keys. */
const CONTENT: Renames = {
  ...USER,
  'gen_ai.input.messages': 'lmnr.span.input',
  'gen_ai.output.messages': 'lmnr.span.output',
  'gen_ai.tool.call.arguments': 'lmnr.span.input',
  'gen_ai.tool.call.result': 'lmnr.span.output',
};

/** Laminar: span types, sessions, users, and what went in and came out. */
export const LAMINAR: Overlay = {
  name: 'laminar',
  renames: ({ kind }) => (kind === 'llm' ? USER : CONTENT),
  put: ({ kind, sessionId }, into) => {
    into.put('lmnr.span.type', TYPES[kind]);
    into.put('lmnr.association.properties.session_id', sessionId);
  },
};
