/** Captured spans that every adapter is held against: short traces with everything in them that can be said. */
export { agent, at, custom, type Draft, hook, llm, permission, spanId, tool, traceId } from './drafts.ts';
export { instructionFaults, messageFaults } from './message-schema.ts';
export { SAMPLE_TRACES } from './sample-traces.ts';
export { type SpellingDialect, spelled } from './spelled.ts';
