/**
 * Names of OpenTelemetry's GenAI and MCP conventions, copied from `@opentelemetry/semantic-conventions` 1.45.0 `/incubating`
 * as its authors advise: the subpath breaks between minor versions, and its constants keep their names here so that a test
 * can hold one against the other.
 */
export const SEMCONV = {
  ATTR_ERROR_TYPE: 'error.type',
  ATTR_GEN_AI_AGENT_ID: 'gen_ai.agent.id',
  ATTR_GEN_AI_AGENT_NAME: 'gen_ai.agent.name',
  ATTR_GEN_AI_CONVERSATION_ID: 'gen_ai.conversation.id',
  ATTR_GEN_AI_INPUT_MESSAGES: 'gen_ai.input.messages',
  ATTR_GEN_AI_OPERATION_NAME: 'gen_ai.operation.name',
  ATTR_GEN_AI_OUTPUT_MESSAGES: 'gen_ai.output.messages',
  ATTR_GEN_AI_PROVIDER_NAME: 'gen_ai.provider.name',
  ATTR_GEN_AI_REQUEST_MODEL: 'gen_ai.request.model',
  ATTR_GEN_AI_REQUEST_STREAM: 'gen_ai.request.stream',
  ATTR_GEN_AI_RESPONSE_FINISH_REASONS: 'gen_ai.response.finish_reasons',
  ATTR_GEN_AI_RESPONSE_ID: 'gen_ai.response.id',
  ATTR_GEN_AI_RESPONSE_MODEL: 'gen_ai.response.model',
  ATTR_GEN_AI_RESPONSE_TIME_TO_FIRST_CHUNK: 'gen_ai.response.time_to_first_chunk',
  ATTR_GEN_AI_SYSTEM: 'gen_ai.system',
  ATTR_GEN_AI_SYSTEM_INSTRUCTIONS: 'gen_ai.system_instructions',
  ATTR_GEN_AI_TOKEN_TYPE: 'gen_ai.token.type',
  ATTR_GEN_AI_TOOL_CALL_ARGUMENTS: 'gen_ai.tool.call.arguments',
  ATTR_GEN_AI_TOOL_CALL_ID: 'gen_ai.tool.call.id',
  ATTR_GEN_AI_TOOL_CALL_RESULT: 'gen_ai.tool.call.result',
  ATTR_GEN_AI_TOOL_DEFINITIONS: 'gen_ai.tool.definitions',
  ATTR_GEN_AI_TOOL_NAME: 'gen_ai.tool.name',
  ATTR_GEN_AI_TOOL_TYPE: 'gen_ai.tool.type',
  ATTR_GEN_AI_USAGE_CACHE_CREATION_INPUT_TOKENS: 'gen_ai.usage.cache_creation.input_tokens',
  ATTR_GEN_AI_USAGE_CACHE_READ_INPUT_TOKENS: 'gen_ai.usage.cache_read.input_tokens',
  ATTR_GEN_AI_USAGE_INPUT_TOKENS: 'gen_ai.usage.input_tokens',
  ATTR_GEN_AI_USAGE_OUTPUT_TOKENS: 'gen_ai.usage.output_tokens',
  ATTR_GEN_AI_USAGE_REASONING_OUTPUT_TOKENS: 'gen_ai.usage.reasoning.output_tokens',
  ATTR_MCP_METHOD_NAME: 'mcp.method.name',
  GEN_AI_OPERATION_NAME_VALUE_CHAT: 'chat',
  GEN_AI_OPERATION_NAME_VALUE_EXECUTE_TOOL: 'execute_tool',
  GEN_AI_OPERATION_NAME_VALUE_INVOKE_AGENT: 'invoke_agent',
  GEN_AI_PROVIDER_NAME_VALUE_ANTHROPIC: 'anthropic',
  GEN_AI_TOKEN_TYPE_VALUE_INPUT: 'input',
  GEN_AI_TOKEN_TYPE_VALUE_OUTPUT: 'output',
  MCP_METHOD_NAME_VALUE_TOOLS_CALL: 'tools/call',
  METRIC_GEN_AI_CLIENT_OPERATION_DURATION: 'gen_ai.client.operation.duration',
  METRIC_GEN_AI_CLIENT_OPERATION_TIME_TO_FIRST_CHUNK: 'gen_ai.client.operation.time_to_first_chunk',
  METRIC_GEN_AI_CLIENT_TOKEN_USAGE: 'gen_ai.client.token.usage',
} as const;

/** Names that only the newest text of the conventions has (repository `semantic-conventions-genai`); no package exports them yet. */
export const SEMCONV_LATEST = {
  ATTR_GEN_AI_USAGE_CACHE_WRITE_INPUT_TOKENS: 'gen_ai.usage.cache_write.input_tokens',
  ATTR_GEN_AI_TOKEN_MODALITY: 'gen_ai.token.modality',
  METRIC_GEN_AI_CLIENT_INFERENCE_DURATION: 'gen_ai.client.inference.duration',
  METRIC_GEN_AI_CLIENT_INFERENCE_TIME_TO_FIRST_CHUNK: 'gen_ai.client.inference.time_to_first_chunk',
  METRIC_GEN_AI_CLIENT_INFERENCE_OPERATION_INPUT_TOKENS: 'gen_ai.client.inference.operation.input_tokens',
  METRIC_GEN_AI_CLIENT_INFERENCE_OPERATION_OUTPUT_TOKENS: 'gen_ai.client.inference.operation.output_tokens',
  METRIC_GEN_AI_CLIENT_INFERENCE_USAGE_INPUT_TOKENS: 'gen_ai.client.inference.usage.input_tokens',
  METRIC_GEN_AI_CLIENT_INFERENCE_USAGE_OUTPUT_TOKENS: 'gen_ai.client.inference.usage.output_tokens',
  METRIC_GEN_AI_CLIENT_INFERENCE_USAGE_CACHE_READ_INPUT_TOKENS: 'gen_ai.client.inference.usage.cache_read.input_tokens',
  METRIC_GEN_AI_CLIENT_INFERENCE_USAGE_CACHE_WRITE_INPUT_TOKENS:
    'gen_ai.client.inference.usage.cache_write.input_tokens',
  METRIC_GEN_AI_CLIENT_INFERENCE_USAGE_REASONING_OUTPUT_TOKENS: 'gen_ai.client.inference.usage.reasoning.output_tokens',
  METRIC_GEN_AI_INVOKE_AGENT_DURATION: 'gen_ai.invoke_agent.duration',
  METRIC_GEN_AI_INVOKE_AGENT_INFERENCE_CALLS: 'gen_ai.invoke_agent.inference_calls',
  METRIC_GEN_AI_INVOKE_AGENT_TOOL_CALLS: 'gen_ai.invoke_agent.tool_calls',
  METRIC_GEN_AI_EXECUTE_TOOL_DURATION: 'gen_ai.execute_tool.duration',
} as const;

/** `v1.41`: what backends read today. `latest`: the newest text, which few read yet. */
export type SemconvVersion = 'v1.41' | 'latest';

/** `error.type` where no better word is known. */
export const ERROR_TYPE_OTHER = '_OTHER';
