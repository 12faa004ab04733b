/**
 * The message schema of OpenTelemetry's GenAI conventions as its document gives it, written apart from the code it is held against.
 * Further fields are allowed everywhere; a part of an unknown type needs nothing but its type.
 */

type Fields = Readonly<Record<string, unknown>>;
type Check = (value: unknown) => boolean;

const isText: Check = (value) => typeof value === 'string';
const isOptionalText: Check = (value) => value === undefined || value === null || typeof value === 'string';
const isThere: Check = (value) => value !== undefined;
const isTyped: Check = (value) => isFields(value) && isText(value['type']);
const isForeignUri: Check = (value) => isText(value) && !String(value).startsWith('data:');

const PARTS: Readonly<Record<string, Readonly<Record<string, Check>>>> = {
  text: { content: isText },
  reasoning: { content: isText },
  tool_call: { name: isText, id: isOptionalText },
  tool_call_response: { response: isThere, id: isOptionalText },
  server_tool_call: { name: isText, server_tool_call: isTyped, id: isOptionalText },
  server_tool_call_response: { server_tool_call_response: isTyped, id: isOptionalText },
  blob: { modality: isText, content: isText, mime_type: isOptionalText },
  uri: { modality: isText, uri: isForeignUri, mime_type: isOptionalText },
  file: { modality: isText, file_id: isText, mime_type: isOptionalText },
  compaction: { id: isOptionalText, content: isOptionalText },
};

/** What is wrong with one message; nothing if it is valid. */
export function messageFaults(message: unknown): readonly string[] {
  if (!isFields(message)) return ['a message is an object'];
  if (!isText(message['role'])) return ['role is text'];
  if (!Array.isArray(message['parts'])) return ['parts is a list'];
  if (!isOptionalText(message['finish_reason'])) return ['finish_reason is text'];
  return (message['parts'] as unknown[]).flatMap(partFaults);
}

/** Of `gen_ai.system_instructions`, a list of parts without a role around them. */
export function instructionFaults(parts: readonly unknown[]): readonly string[] {
  return parts.flatMap(partFaults);
}

function partFaults(part: unknown): readonly string[] {
  if (!isFields(part) || !isText(part['type'])) return ['a part has a type'];
  const type = String(part['type']);
  const wanted = Object.entries(PARTS[type] ?? {});
  return wanted.filter(([field, check]) => !check(part[field])).map(([field]) => `${type}.${field}`);
}

function isFields(value: unknown): value is Fields {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
