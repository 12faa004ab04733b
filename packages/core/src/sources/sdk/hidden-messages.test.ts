import { describe, expect, test } from 'vitest';
import { type Hides, hiddenMessages } from './hidden-messages.ts';

const all: Hides = { partials: true, subagentText: true };
const none: Hides = { partials: false, subagentText: false };
const partials: Hides = { partials: true, subagentText: false };
const subagentText: Hides = { partials: false, subagentText: true };

function assistant(parent: string | null, ...types: string[]): object {
  return { type: 'assistant', parent_tool_use_id: parent, message: { content: types.map((type) => ({ type })) } };
}

describe('a message that the consumer would not have got', () => {
  test.each<[string, unknown, Hides, boolean]>([
    ['a stream event', { type: 'stream_event', event: {} }, partials, true],
    ['a stream event', { type: 'stream_event', event: {} }, subagentText, false],
    ['the status of a request', { type: 'system', subtype: 'status', status: 'requesting' }, partials, true],
    ['the status of a request', { type: 'system', subtype: 'status', status: 'requesting' }, subagentText, false],
    ['another status', { type: 'system', subtype: 'status', status: 'compacting' }, all, false],
    ['the start', { type: 'system', subtype: 'init' }, all, false],
    ['words of a subagent', assistant('toolu_1', 'text'), subagentText, true],
    ['words of a subagent', assistant('toolu_1', 'text'), partials, false],
    ['thoughts of a subagent', assistant('toolu_1', 'thinking', 'redacted_thinking'), all, true],
    ['a tool call of a subagent', assistant('toolu_1', 'tool_use'), all, false],
    ['words and a tool call of a subagent', assistant('toolu_1', 'text', 'tool_use'), all, false],
    ['an empty answer of a subagent', assistant('toolu_1'), all, false],
    ['words of the main loop', assistant(null, 'text'), all, false],
    ['a result', { type: 'result' }, all, false],
    ['a text', 'text', all, false],
    ['nothing', undefined, all, false],
    ['a stream event', { type: 'stream_event' }, none, false],
    ['words of a subagent', assistant('toolu_1', 'text'), none, false],
  ])('%s (%o with %o): %s', (_, message, hides, isHidden) => {
    expect(hiddenMessages(hides)(message)).toBe(isHidden);
  });

  test('is none of the words of a background subagent, which the CLI shows in any case', () => {
    const isHidden = hiddenMessages(all);
    isHidden({ type: 'system', subtype: 'task_started', is_backgrounded: true, tool_use_id: 'toolu_back' });
    isHidden({ type: 'system', subtype: 'task_started', is_backgrounded: false, tool_use_id: 'toolu_fore' });
    expect(isHidden(assistant('toolu_back', 'text'))).toBe(false);
    expect(isHidden(assistant('toolu_fore', 'text'))).toBe(true);
  });
});
