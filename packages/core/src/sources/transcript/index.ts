export type { Baseline, CopiedRow } from './cost-states.ts';
export { keyedIds, traceIdOf } from './keyed-ids.ts';
export { lastWords } from './last-words.ts';
export { LineSplitter } from './lines.ts';
export { type Row, readRow, type SkippedLine, type SkipReason } from './row.ts';
export {
  isSubagentFile,
  type SessionFiles,
  type SubagentFile,
  sessionFiles,
  subagentsBeside,
} from './session-files.ts';
export { type ReadOptions, readSession } from './session-rows.ts';
export type { Subagent } from './subagent-rows.ts';
export { TranscriptReader, type TranscriptReaderOptions } from './transcript-reader.ts';
