import { asArray, asObject, asString, isObject, type JsonObject, parseJson } from '../json.ts';
import { type ContentClass, planted } from './canaries.ts';
import { plantAll } from './plant-message.ts';

/** Attributes of the CLI's telemetry that are metadata. Whatever is not listed is content and gets a canary. */
const METADATA: ReadonlySet<string> = new Set([
  // ids and hashes
  ...[
    'session.id',
    'user.id',
    'gen_ai.conversation.id',
    'prompt.id',
    'message.id',
    'message.uuid',
    'request_id',
    'agent_id',
  ],
  ...[
    'gen_ai.response.id',
    'tool_use_id',
    'gen_ai.tool.call.id',
    'request_body_id',
    'plugin_id_hash',
    'system_prompt_hash',
  ],
  ...['tool_hash', 'event.timestamp', 'service.version', 'os.version', 'host.arch', 'os.type'],
  // types, states and reasons with a fixed set of values
  ...[
    'event.name',
    'span.type',
    'success',
    'decision',
    'decision_source',
    'decision_type',
    'source',
    'error_type',
    'error.type',
  ],
  ...[
    'error_class',
    'stop_reason',
    'gen_ai.response.finish_reasons',
    'effort',
    'speed',
    'trigger',
    'category',
    'query_source',
  ],
  ...[
    'query_source_safe',
    'llm_request.context',
    'parent.source',
    'terminal.type',
    'permission_mode',
    'from_mode',
    'to_mode',
  ],
  ...[
    'start_type',
    'type',
    'language',
    'hook_event',
    'hook_source',
    'tool_source',
    'agent.source',
    'enabled_via',
    'managed_only',
  ],
  ...['managed_settings.helper.applied', 'managed_settings.helper.state', 'managed_settings.source_behavior'],
  ...[
    'managed_settings.trigger',
    'plugin.scope',
    'mcp_server_scope',
    'skill.source',
    'invocation_trigger',
    'command_source',
  ],
  ...['precompute_reuse', 'safe_mode', 'gen_ai.operation.name', 'bash_command_class'],
  // names
  ...['service.name', 'model', 'final_model', 'gen_ai.request.model', 'gen_ai.provider.name', 'gen_ai.system'],
  ...[
    'anthropic.provider',
    'tool_name',
    'tool_name_safe',
    'gen_ai.tool.name',
    'agent.name',
    'agent_type',
    'subagent_type',
  ],
  ...[
    'hook_name',
    'mcp_server.name',
    'mcp_tool.name',
    'anthropic.mcp.server.name',
    'skill.name',
    'skill_name',
    'plugin.name',
  ],
  ...['marketplace.name', 'command_name'],
]);

/** The class of content by the attribute's name; the rest is `other`. */
const CLASSES: Readonly<Record<string, ContentClass>> = {
  prompt: 'prompt',
  prompt_text: 'prompt',
  user_prompt: 'prompt',
  response: 'output',
  'response.model_output': 'output',
  tool_input: 'toolInput',
  tool_parameters: 'toolInput',
  full_command: 'toolInput',
  bash_command: 'toolInput',
  bash_argv0: 'toolInput',
  file_path: 'toolInput',
  output: 'toolOutput',
  content: 'toolOutput',
  diff: 'toolOutput',
  error: 'error',
  system_prompt: 'system',
  system_prompt_preview: 'system',
  system_reminders: 'system',
  tool: 'system',
  tools: 'system',
  body_ref: 'location',
};

/** Where the CLI says that it keeps a content to itself. */
const KEPT_BACK = '<REDACTED>';

/** Names within `tool_parameters`, from which the name of an MCP tool is read. */
const NAMES: ReadonlySet<string> = new Set(['mcp_server_name', 'mcp_tool_name', 'subagent_type']);

/** A copy of an export, in the shape of OTLP/JSON, with a canary in every string that is content. */
export function plantTelemetry(payload: JsonObject): JsonObject {
  return plantNode(payload) as JsonObject;
}

/** Members of OTLP itself that hold no words. */
const OTLP_METADATA: ReadonlySet<string> = new Set([
  'key',
  'name',
  'traceId',
  'spanId',
  'parentSpanId',
  'traceState',
  'version',
]);
const METRIC_WORDS: ReadonlySet<string> = new Set(['unit', 'description']);

function plantNode(node: unknown): unknown {
  if (Array.isArray(node)) return node.map(plantNode);
  if (!isObject(node)) return node;
  const isMetric = 'unit' in node;
  const isLog = 'observedTimeUnixNano' in node;
  const members = Object.entries(node).map(([name, member]) => {
    if (name === 'attributes') return [name, isRecord(node) ? completed(plantPairs(member)) : plantPairs(member)];
    if (name === 'message') return [name, typeof member === 'string' ? planted(member, 'error') : plantNode(member)];
    // The body of a log record repeats its event's name.
    if (name === 'body' && isLog) return [name, member];
    if (typeof member !== 'string' || OTLP_METADATA.has(name) || name.endsWith('UnixNano'))
      return [name, plantNode(member)];
    if (isMetric && METRIC_WORDS.has(name)) return [name, member];
    // 64-bit numbers are strings in OTLP/JSON.
    return [name, /^-?\d+$/.test(member) ? member : planted(member, 'other')];
  });
  return Object.fromEntries(members) as unknown;
}

/** A span, an event of it, or a log record; no resource and no point of a metric. */
function isRecord(node: JsonObject): boolean {
  return 'observedTimeUnixNano' in node || ('name' in node && ('startTimeUnixNano' in node || 'timeUnixNano' in node));
}

/** With every content there is, also what the CLI writes in cases that were not recorded, as of a compaction that fails. */
function completed(pairs: readonly JsonObject[]): JsonObject[] {
  const present = new Set(pairs.map(({ key }) => key));
  const absent = Object.entries(CLASSES).filter(([key]) => !present.has(key));
  return [...pairs, ...absent.map(([key, content]) => ({ key, value: { stringValue: planted('added', content) } }))];
}

function plantPairs(pairs: unknown): JsonObject[] {
  return asArray(pairs).map((pair) => plantPair(asObject(pair)));
}

function plantPair(pair: JsonObject): JsonObject {
  const key = asString(pair['key']) ?? '';
  if (METADATA.has(key)) return pair;
  const text = asString(asObject(pair['value'])['stringValue']);
  // Log records write their numbers as strings.
  if (text === undefined || text === KEPT_BACK || /^-?[\d.]+$/.test(text)) return pair;
  return { key, value: { stringValue: plantText(text, CLASSES[key] ?? 'other') } };
}

/** Text that is JSON stays JSON. */
function plantText(text: string, content: ContentClass): string {
  const parsed = parseJson(text);
  return typeof parsed === 'object' && parsed !== null
    ? JSON.stringify(plantAll(parsed, content, NAMES))
    : planted(text, content);
}
