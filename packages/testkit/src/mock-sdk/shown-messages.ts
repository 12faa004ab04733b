import { asArray, asObject, type JsonObject } from '../json.ts';

const WORDS: ReadonlySet<unknown> = new Set(['text', 'thinking', 'redacted_thinking']);

/** Tells which messages the CLI sends under these options of `query()`; a recording made with more of them holds more. */
export function shownMessages(options: JsonObject): (message: JsonObject) => boolean {
  const hasPartials = options['includePartialMessages'] === true;
  const hasSubagentText = options['forwardSubagentText'] === true;
  // What background subagents say is forwarded in any case.
  const background: Set<unknown> = new Set();
  return (message) => {
    if (message['subtype'] === 'task_started' && message['is_backgrounded'] === true) {
      background.add(message['tool_use_id']);
    }
    if (message['type'] === 'stream_event' || isRequesting(message)) return hasPartials;
    return hasSubagentText || background.has(message['parent_tool_use_id']) || !isSubagentText(message);
  };
}

function isRequesting(message: JsonObject): boolean {
  return message['type'] === 'system' && message['subtype'] === 'status' && message['status'] === 'requesting';
}

function isSubagentText(message: JsonObject): boolean {
  if (message['type'] !== 'assistant' || typeof message['parent_tool_use_id'] !== 'string') return false;
  const blocks = asArray(asObject(message['message'])['content']);
  return blocks.length > 0 && blocks.every((block) => WORDS.has(asObject(block)['type']));
}
