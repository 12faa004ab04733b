import { fieldsOf, listIn } from './guards.ts';

export interface Hides {
  /** `includePartialMessages` was switched on by us. */
  readonly partials: boolean;
  /** `forwardSubagentText` was switched on by us. */
  readonly subagentText: boolean;
}

/** Tells which messages the consumer would not have got without the options that we added. */
export function hiddenMessages(hides: Hides): (message: unknown) => boolean {
  // The CLI forwards the words of background subagents in any case.
  const background: Set<unknown> = new Set();
  return (value) => {
    const message = fieldsOf(value);
    switch (message?.['type']) {
      case 'stream_event':
        return hides.partials;
      case 'assistant':
        return (
          hides.subagentText &&
          typeof message['parent_tool_use_id'] === 'string' &&
          !background.has(message['parent_tool_use_id']) &&
          isWords(message['message'])
        );
      case 'system':
        if (message['subtype'] === 'task_started' && message['is_backgrounded'] === true)
          background.add(message['tool_use_id']);
        return hides.partials && message['subtype'] === 'status' && message['status'] === 'requesting';
      default:
        return false;
    }
  };
}

function isWords(answer: unknown): boolean {
  const blocks = listIn(fieldsOf(answer), 'content');
  return (
    blocks.length > 0 &&
    blocks.every((block) => ['text', 'thinking', 'redacted_thinking'].includes(String(fieldsOf(block)?.['type'])))
  );
}
