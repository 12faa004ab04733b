import type { HookSeen, PermissionSeen, ToolMeasured } from '../../model/observation.ts';
import type { Decider, SpanError } from '../../model/span.ts';
import type { Draft } from '../../model/given.ts';
import { agentRef } from './calls.ts';
import { booleanOf, contentOf, jsonOf, nanosOf, numberOf, startBefore, startOf, stringOf, textOf } from './fields.ts';
import type { TelemetryAttributes, TelemetryLog, TelemetrySpan } from './telemetry.ts';

/** `claude_code.tool` and, within it, `claude_code.tool.execution`. */
export function toolFromSpan(span: TelemetrySpan, part: 'span' | 'execution'): ToolMeasured | undefined {
  const { attributes } = span;
  const toolCallId = stringOf(attributes['tool_use_id']) ?? stringOf(attributes['gen_ai.tool.call.id']);
  if (toolCallId === undefined) return undefined;
  const tool: Draft<ToolMeasured> = {
    type: 'tool-measured',
    part,
    id: `cli:span:${span.spanId}`,
    source: 'cli',
    at: span.endedAt,
    agent: agentRef(attributes, span.parentSpanId),
    toolCallId,
    cliSpanId: span.spanId,
    startedAt: startOf(span),
    endedAt: span.endedAt,
  };
  const cliToolSpanId = part === 'span' ? span.spanId : span.parentSpanId;
  const toolName = stringOf(attributes['tool_name']);
  const output = outputOf(span);
  if (cliToolSpanId !== undefined) tool.cliToolSpanId = cliToolSpanId;
  if (toolName !== undefined) tool.toolName = toolName;
  if (output !== undefined) tool.output = output;
  if (hasFailed(attributes)) tool.error = toolError(attributes);
  return tool;
}

function outputOf(span: TelemetrySpan): string | undefined {
  const event = span.events.find((candidate) => candidate.name === 'tool.output');
  return event === undefined
    ? undefined
    : (contentOf(event.attributes['output']) ?? contentOf(event.attributes['content']));
}

/** `tool_result`: the effective input, and whose request asked for it. */
export function toolFromLog(log: TelemetryLog, id: string): ToolMeasured | undefined {
  const { attributes } = log;
  const toolCallId = stringOf(attributes['tool_use_id']);
  if (toolCallId === undefined) return undefined;
  const tool: Draft<ToolMeasured> = {
    type: 'tool-measured',
    part: 'log',
    id,
    source: 'cli',
    at: log.at,
    agent: agentRef(attributes, log.spanId),
    toolCallId,
    endedAt: log.at,
  };
  const startedAt = startBefore(log.at, nanosOf(attributes['duration_ms']));
  const toolName = toolNameOf(attributes);
  const requestId = stringOf(attributes['request_id']);
  const input = jsonOf(attributes['tool_input']);
  if (startedAt !== undefined) tool.startedAt = startedAt;
  if (toolName !== undefined) tool.toolName = toolName;
  if (requestId !== undefined) tool.requestId = requestId;
  if (input !== undefined) tool.input = input;
  if (hasFailed(attributes)) tool.error = toolError(attributes);
  return tool;
}

function hasFailed(attributes: TelemetryAttributes): boolean {
  return booleanOf(attributes['success']) === false;
}

/** Logs call every MCP tool the same. */
function toolNameOf(attributes: TelemetryAttributes): string | undefined {
  const toolName = stringOf(attributes['tool_name']);
  return toolName === 'mcp_tool' ? mcpName(attributes) : toolName;
}

function mcpName(attributes: TelemetryAttributes): string | undefined {
  const parameters = jsonOf(attributes['tool_parameters']);
  if (typeof parameters !== 'object' || parameters === null) return undefined;
  const { mcp_server_name: server, mcp_tool_name: tool } = parameters as Record<string, unknown>;
  return typeof server === 'string' && typeof tool === 'string' ? `mcp__${server}__${tool}` : undefined;
}

/** The class is an error's name, its type one word for all of them. An abort is no failure. */
function toolError(attributes: TelemetryAttributes): SpanError {
  const type =
    stringOf(attributes['error_class']) ??
    stringOf(attributes['error_type']) ??
    stringOf(attributes['error.type']) ??
    'tool_error';
  return { type: type === 'AbortError' ? 'cancelled' : type, message: textOf(attributes['error']) ?? type };
}

/**
 * `claude_code.tool.blocked_on_user` stands on every tool call, pre-approved ones too: a wait only where its source is a user.
 * `host` tells who answers for the user in this run.
 */
export function permissionFromSpan(span: TelemetrySpan, host: 'user' | 'host'): PermissionSeen | undefined {
  const source = stringOf(span.attributes['source']);
  if (source === undefined || span.parentSpanId === undefined) return undefined;
  const wasAsked = source.startsWith('user_');
  return {
    type: 'permission',
    id: `cli:span:${span.spanId}`,
    source: 'cli',
    at: span.endedAt,
    cliToolSpanId: span.parentSpanId,
    startedAt: startOf(span),
    endedAt: span.endedAt,
    decision: span.attributes['decision'] === 'reject' ? 'deny' : 'allow',
    decidedBy: wasAsked ? host : deciderOf(source),
    wasAsked,
  };
}

function deciderOf(source: string): Decider {
  if (source === 'hook') return 'hook';
  return source === 'config' ? 'rule' : 'mode';
}

/** `hook_execution_complete`: all hooks of one event, run together. */
export function hookFromLog(log: TelemetryLog, id: string): HookSeen | undefined {
  const { attributes } = log;
  const hookEvent = stringOf(attributes['hook_event']);
  if (hookEvent === undefined || (numberOf(attributes['num_hooks']) ?? 0) === 0) return undefined;
  return {
    type: 'hook',
    id,
    source: 'cli',
    at: log.at,
    agent: agentRef(attributes, log.spanId),
    hookEvent,
    hookName: stringOf(attributes['hook_name']) ?? hookEvent,
    startedAt: startBefore(log.at, nanosOf(attributes['total_duration_ms'])) ?? log.at,
    blocked: (numberOf(attributes['num_blocking']) ?? 0) > 0,
  };
}
