import { asArray, asObject, isObject, type JsonObject } from '../json.ts';
import { type ContentClass, planted } from './canaries.ts';

/**
 * Strings of SDK messages that are metadata: ids, types, enums, and names of models, tools, servers, agents and modes. Whatever
 * is not listed is content and gets a canary, also a field that the next version adds.
 */
const METADATA: ReadonlySet<string> = new Set([
  // ids
  ...[
    'uuid',
    'session_id',
    'id',
    'request_id',
    'agent_id',
    'task_id',
    'run_id',
    'runId',
    'parent_tool_use_id',
    'tool_use_id',
  ],
  ...['parent_task_id', 'api_message_id', 'refused_message_id', 'refused_user_message_uuid', 'logical_parent_uuid'],
  ...[
    'user_message_uuid',
    'user_message_uuids',
    'command_uuid',
    'anchor_uuid',
    'head_uuid',
    'tail_uuid',
    'uuids',
    'all_uuids',
  ],
  ...['hook_id', 'timestamp', 'claude_code_version'],
  // types, states and reasons with a fixed set of values
  ...[
    'type',
    'subtype',
    'role',
    'status',
    'state',
    'kind',
    'level',
    'priority',
    'trigger',
    'outcome',
    'decision',
    'source',
  ],
  ...['stop_reason', 'terminal_reason', 'task_type', 'decision_reason_type', 'reason_type', 'non_execution_kind'],
  ...[
    'api_error_type',
    'error_category',
    'api_refusal_category',
    'category',
    'compact_result',
    'service_tier',
    'speed',
  ],
  ...[
    'inference_geo',
    'fast_mode_state',
    'fast_mode_disabled_reason',
    'apiKeySource',
    'producer',
    'costBasis',
    'provider',
  ],
  ...['thinking_display', 'capabilities', 'view_mode', 'output_style', 'event_type', 'hook_event', 'permissionMode'],
  // names
  ...['model', 'original_model', 'fallback_model', 'canonicalModel', 'tools', 'tool_name', 'last_tool_name', 'name'],
  ...['subagent_type', 'agents', 'hook_name', 'skills', 'slash_commands', 'terminal_slash_commands'],
]);

/** Names that are metadata where most of their kind are not. */
const METADATA_OF: Readonly<Record<string, readonly string[]>> = {
  assistant: ['error'],
  api_retry: ['error'],
  ui_invalidate: ['event'],
};

const LOCATION: ReadonlySet<string> = new Set([
  'cwd',
  'original_cwd',
  'auto',
  'messaging_socket_path',
  'output_file',
  'path',
]);
const ERROR: ReadonlySet<string> = new Set([
  'errors',
  'reason',
  'explanation',
  'api_refusal_explanation',
  'message',
  'content',
]);

/** A copy of an SDK message with a canary in every string that is content. */
export function plantMessage(message: JsonObject): JsonObject {
  const own = [message['type'], message['subtype']].flatMap((name) => METADATA_OF[String(name)] ?? []);
  const scope: Scope = { metadata: new Set(own), classOf: (name) => classIn(message, name) };
  return plantMembers(message, scope);
}

/** What `query()` was asked, and what an iterable yielded. */
export function plantPrompt(message: JsonObject): JsonObject {
  return plantMessage({ type: 'user', ...message });
}

interface Scope {
  readonly metadata: ReadonlySet<string>;
  readonly classOf: (name: string) => ContentClass;
}

function classIn(message: JsonObject, name: string): ContentClass {
  if (LOCATION.has(name)) return 'location';
  if (name === 'result') return message['is_error'] === true ? 'error' : 'output';
  return ERROR.has(name) ? 'error' : 'other';
}

function plantMembers(value: JsonObject, scope: Scope): JsonObject {
  return Object.fromEntries(
    Object.entries(value).map(([name, member]) => [name, plantMember(name, member, { scope, value })]),
  );
}

function plantMember(name: string, member: unknown, { scope, value }: { scope: Scope; value: JsonObject }): unknown {
  // A model is a key as well as a value.
  if (name === 'modelUsage' || name === 'model_usage_since_last_result' || name === 'usage') return member;
  if (name === 'tool_input') return plantAll(member, 'toolInput');
  if (name === 'tool_use_result') return plantAll(member, 'toolOutput', new Set(['status', 'type']));
  if (name === 'message' && isObject(member)) return plantAnswer(member, value);
  if (name === 'content_block' || name === 'delta')
    return plantBlock(asObject(member), { role: 'assistant', isError: false });
  if (scope.metadata.has(name) || METADATA.has(name)) return isObject(member) ? plantMembers(member, scope) : member;
  return plantAny(member, scope, name);
}

function plantAny(member: unknown, scope: Scope, name: string): unknown {
  if (typeof member === 'string') return planted(member, scope.classOf(name));
  if (Array.isArray(member)) return member.map((item: unknown) => plantAny(item, scope, name));
  return isObject(member) ? plantMembers(member, scope) : member;
}

/** An API message: `{ role, content, … }`. */
function plantAnswer(answer: JsonObject, envelope: JsonObject): JsonObject {
  const isError = answer['model'] === '<synthetic>';
  const role = answer['role'] === 'user' ? 'user' : 'assistant';
  const { content, ...rest } = answer;
  const scope: Scope = { metadata: new Set(), classOf: (name) => classIn(envelope, name) };
  const words = wordsOf({ role, isError });
  const blocks =
    typeof content === 'string'
      ? planted(content, words)
      : asArray(content).map((block) => plantBlock(asObject(block), { role, isError }));
  return { ...plantMembers(rest, scope), ...('content' in answer ? { content: blocks } : {}) };
}

interface Speaker {
  readonly role: 'user' | 'assistant';
  /** The CLI's own words about an API error. */
  readonly isError: boolean;
}

function wordsOf({ role, isError }: Speaker): ContentClass {
  if (isError) return 'error';
  return role === 'user' ? 'prompt' : 'output';
}

/** What of a content block is structure, whatever its type. */
const BLOCK_METADATA: ReadonlySet<string> = new Set(['type', 'id', 'tool_use_id', 'name', 'stop_reason']);

function plantBlock(block: JsonObject, speaker: Speaker): JsonObject {
  const members = Object.entries(block).map(([name, member]) => {
    if (BLOCK_METADATA.has(name)) return [name, member];
    return [name, plantAll(member, classOfBlock(block, name, speaker), STRUCTURE)];
  });
  return Object.fromEntries(members) as JsonObject;
}

/** Of results that are blocks themselves, and of the `Agent` tool's input: the name of the agent. */
const STRUCTURE: ReadonlySet<string> = new Set(['type', 'subagent_type']);

function classOfBlock(block: JsonObject, name: string, speaker: Speaker): ContentClass {
  if (name === 'input' || name === 'partial_json') return 'toolInput';
  if (name === 'thinking' || name === 'signature') return 'thinking';
  if (block['type'] === 'tool_result') return block['is_error'] === true ? 'toolError' : 'toolOutput';
  return wordsOf(speaker);
}

/** A canary in every string, except below the named members. */
export function plantAll(value: unknown, content: ContentClass, except: ReadonlySet<string> = new Set()): unknown {
  if (typeof value === 'string') return planted(value, content);
  if (Array.isArray(value)) return value.map((item) => plantAll(item, content, except));
  if (!isObject(value)) return value;
  // The tool that spawns a subagent is told apart by what it is asked.
  const isTask = content === 'toolInput' && 'subagent_type' in value;
  const members = Object.entries(value).map(([name, member]) => {
    const own = isTask && name === 'prompt' ? 'task' : content;
    return [name, except.has(name) ? member : plantAll(member, own, except)];
  });
  return Object.fromEntries(members) as unknown;
}
