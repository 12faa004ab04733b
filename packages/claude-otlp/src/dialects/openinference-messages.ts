import type { LlmSpan, Message } from '@spanprism/core';
import { chatMessages, jsonText, plainOrJsonText } from '@spanprism/core/dialect';
import type { AttributeTaker, ChatMessage, Part } from '@spanprism/core/dialect';

/** OpenInference flattens messages: `llm.input_messages.0.message.role` and so on, the system's words first. */
export function putInputMessages({ systemInstructions, input }: LlmSpan, into: AttributeTaker): void {
  const system = systemInstructions?.length
    ? [{ role: 'system' as const, parts: systemInstructions.map((content) => ({ type: 'text', content })) }]
    : [];
  putMessages('llm.input_messages', [...system, ...messagesOf(input)], into);
}

export function putOutputMessages({ output }: LlmSpan, into: AttributeTaker): void {
  putMessages('llm.output_messages', messagesOf(output), into);
}

function putMessages(prefix: string, messages: readonly ChatMessage[], into: AttributeTaker): void {
  messages.forEach((message, index) => putMessage(`${prefix}.${index}.message`, message, into));
}

/** A message of OpenInference answers one tool call at most, so each result is a message of its own. */
function messagesOf(messages: readonly Message[] | undefined): readonly ChatMessage[] {
  return chatMessages(messages ?? []).flatMap((message) =>
    message.role === 'tool' ? message.parts.map((part) => ({ ...message, parts: [part] })) : [message],
  );
}

function putMessage(prefix: string, { role, parts }: ChatMessage, into: AttributeTaker): void {
  into.put(`${prefix}.role`, role);
  const [only] = parts;
  if (role === 'tool' && only?.type === 'tool_call_response') {
    into.put(`${prefix}.tool_call_id`, textOf(only['id']));
    into.put(`${prefix}.content`, plainOrJsonText(only['response']));
    return;
  }
  const calls = parts.filter(({ type }) => type === 'tool_call');
  const contents = parts.filter(({ type }) => type !== 'tool_call');
  const [first] = contents;
  if (contents.length === 1 && first?.type === 'text') into.put(`${prefix}.content`, textOf(first['content']));
  else contents.forEach((part, index) => putContent(`${prefix}.contents.${index}.message_content`, part, into));
  calls.forEach((part, index) => putCall(`${prefix}.tool_calls.${index}.tool_call`, part, into));
}

function putContent(prefix: string, part: Part, into: AttributeTaker): void {
  const image = part['modality'] === 'image' ? imageUrl(part) : undefined;
  if (image !== undefined) {
    into.put(`${prefix}.type`, 'image');
    into.put(`${prefix}.image.image.url`, image);
    return;
  }
  into.put(`${prefix}.type`, part.type);
  const { type: _, ...rest } = part;
  into.put(`${prefix}.text`, textOf(part['content']) ?? (Object.keys(rest).length === 0 ? undefined : jsonText(rest)));
}

function imageUrl(part: Part): string | undefined {
  if (part.type === 'uri') return textOf(part['uri']);
  const content = textOf(part['content']);
  if (part.type !== 'blob' || content === undefined) return undefined;
  return `data:${textOf(part['mime_type']) ?? 'image/*'};base64,${content}`;
}

function putCall(prefix: string, part: Part, into: AttributeTaker): void {
  into.put(`${prefix}.id`, textOf(part['id']));
  into.put(`${prefix}.function.name`, textOf(part['name']));
  into.put(`${prefix}.function.arguments`, plainOrJsonText(part['arguments']));
}

function textOf(value: unknown): string | undefined {
  return typeof value === 'string' ? value : undefined;
}
