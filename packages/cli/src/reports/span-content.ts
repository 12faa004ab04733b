import type { ContentBlock, Message, Span } from '@spanprism/core';
import { bytes, preview } from '@spanprism/core/terminal';
import { contentText, textLine } from './content-lines.ts';

/** What a span was given: a tool its arguments, an agent its prompt, a call the words or results that were new in it. */
export function inputText(span: Span): string {
  switch (span.kind) {
    case 'agent':
    case 'llm':
      return messagesText(span.input);
    case 'tool':
      return span.input === undefined ? '' : contentText(span.input);
    case 'permission':
    case 'hook':
    case 'custom':
      return '';
  }
}

/** The same in one line, of a tool the argument that tells most. */
export function inputLine(span: Span): string {
  const telling = span.kind === 'tool' && span.mcpServer === undefined ? preview(span.input) : '';
  return telling || textLine(inputText(span).replaceAll('\n', ' · '));
}

/** All words of messages, and what tools gave back; neither thoughts nor requests for tools. */
export function messagesText(messages: readonly Message[] | undefined): string {
  return (messages ?? []).flatMap(({ content }) => content.flatMap(blockText)).join('\n');
}

function blockText(block: ContentBlock): readonly string[] {
  if (block.type === 'text') return [block.text];
  return block.type === 'tool_result' ? [contentText(block.content)] : [];
}

/** What a model thought before it said or did something. */
export function thinkingText(messages: readonly Message[] | undefined): string {
  return (messages ?? [])
    .flatMap(({ content }) => content.flatMap((block) => (block.type === 'thinking' ? [block.thinking] : [])))
    .join('\n');
}

/** Of content that was not captured, that there was some. */
export function notCaptured(size: number | undefined): string {
  return size === undefined || size === 0 ? '' : `(${bytes(size)}, not captured)`;
}
