import type { Span } from '../model/span.ts';
import { textBytes, truncateText } from '../model/truncate.ts';
import type { Draft } from './copy-span.ts';

/** No id and no name is as long; one that is would be in every row and line about it. UTF-8 bytes. */
const MAX_GIVEN_BYTES = 1_024;

/** Words, which are cut elsewhere. */
const WORDS: ReadonlySet<string> = new Set(['input', 'output', 'cwd', 'systemInstructions', 'toolDefinitions']);

/** Cuts ids and names that are none by their length: Anthropic's, the CLI's, a gateway's, an MCP server's. Whether there was one. */
export function cutGivenNames(captured: Draft<Span>): boolean {
  if (!hasOverlong(captured)) return false;
  for (const [name, value] of Object.entries(captured)) {
    if (WORDS.has(name)) continue;
    const cut = Array.isArray(value) ? value.map(shortened) : shortened(value);
    Object.defineProperty(captured, name, { value: cut, enumerable: true, writable: true, configurable: true });
  }
  return true;
}

/** Every span is looked at: field by field, as a loop over their names takes longer than all else of its capture. */
function hasOverlong(span: Draft<Span>): boolean {
  if (isOverlong(span.key) || isOverlong(span.sessionId)) return true;
  switch (span.kind) {
    case 'llm':
      return (
        isOverlong(span.requestModel) ||
        isOverlong(span.responseModel) ||
        isOverlong(span.provider) ||
        isOverlong(span.requestId) ||
        isOverlong(span.messageId) ||
        isOverlong(span.stopReason)
      );
    case 'tool':
      return isOverlong(span.toolCallId) || isOverlong(span.mcpServer);
    case 'agent':
      return (
        [span.agentId, span.requestModel, span.permissionMode, span.cliVersion].some(isOverlong) ||
        span.toolNames?.some(isOverlong) === true
      );
    case 'permission':
      return isOverlong(span.toolCallId);
    case 'hook':
      return isOverlong(span.hookEvent);
    case 'custom':
      return false;
  }
}

function isOverlong(name: string | undefined): boolean {
  // No UTF-16 unit takes more than three bytes.
  return name !== undefined && name.length * 3 > MAX_GIVEN_BYTES && textBytes(name) > MAX_GIVEN_BYTES;
}

function shortened(value: unknown): unknown {
  return typeof value === 'string' ? truncateText(value, MAX_GIVEN_BYTES) : value;
}
