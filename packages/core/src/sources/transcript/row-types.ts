/**
 * Types of rows that Claude Code writes into session files and that say nothing about what the agent did, in the versions known to
 * us (2.1.329). A type in neither this list nor the reader's table is unknown: it is skipped and reported.
 */
const SILENT: ReadonlySet<string> = new Set([
  'agent-color',
  'agent-name',
  'agent-setting',
  'ai-title',
  'api-request-blob',
  'api-request-resumed',
  'api-request-shape',
  'artifact-autoreact-ledger',
  'artifact-comment-monitor',
  'atis-latch',
  'attribution-snapshot',
  'bridge-session',
  'content-replacement',
  'continued-in',
  'custom-title',
  'data-flow-incomplete',
  'data-flow-records',
  'derived-from',
  'dev-mods',
  'ended-by-model',
  'file-history-delta',
  'file-history-snapshot',
  'fork-context-ref',
  'frame-link',
  'history-suppression',
  'hybrid-organization',
  'isolation-latch',
  'last-prompt',
  'memory-mode',
  'mode',
  'observer-ref',
  'permission-mode',
  'pr-link',
  'progress',
  'queue-operation',
  'relocated',
  'repl-mode',
  'resume-head-vouch',
  'session-owner',
  'summary',
  'tag',
  'tools-used',
  'worktree-state',
]);

export function isSilentType(type: string): boolean {
  return SILENT.has(type);
}

const TYPE_FIRST = /^\{"type": ?"([a-z-]+)"/;

/** Whether a line can be passed over without being parsed: the largest rows of all, whole requests and file backups, begin with their type. */
export function isSilentLine(start: string): boolean {
  const type = TYPE_FIRST.exec(start)?.[1];
  return type !== undefined && SILENT.has(type);
}
