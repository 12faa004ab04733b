/** What adapters need to spell a span: the dialect's contract, and the pieces that backends have in common. */
export { claudeEvents, putClaudeAttributes } from './claude-attributes.ts';
export { oneLine } from '../model/one-line.ts';
export { endingOf, failureOf, nameOf, preview, wordsOf } from '../model/span-words.ts';
export { collectAttributes } from './dialect.ts';
export type {
  AttributeTaker,
  Dialect,
  DialectAttributes,
  DialectEvent,
  DialectLink,
  DialectRecord,
  DialectSpanKind,
  DialectStatus,
  DialectValue,
  SpanLimits,
} from './dialect.ts';
export { exceptionEvents } from './exception-events.ts';
export { genaiDialect, type GenaiDialectOptions } from './genai-dialect.ts';
export { jsonText, plainOrJsonText } from './json-text.ts';
export {
  type ChatMessage,
  chatMessages,
  finishReason,
  instructionParts,
  outputMessages,
  type Part,
  toolDefinitionParts,
} from './messages.ts';
export { secondsBetween } from './seconds-between.ts';
export { ERROR_TYPE_OTHER, SEMCONV, SEMCONV_LATEST, type SemconvVersion } from './semconv.ts';
export { shortenText } from './shorten-text.ts';
export { isReservedKey, putUserAttributes, userTags } from './user-attributes.ts';
