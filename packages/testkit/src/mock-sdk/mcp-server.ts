import { asArray, asObject, asString, isObject, type JsonObject } from '../json.ts';

/** A tool as `tool()` returns it. */
export interface MockTool {
  readonly name: string;
  readonly description: string;
  readonly inputSchema: unknown;
  readonly handler: (input: unknown, extra: unknown) => unknown;
  readonly annotations: unknown;
  readonly _meta: unknown;
}

/** `tool()` of the SDK: names what it is given. */
export function tool(...parameters: readonly [string, string, unknown, MockTool['handler'], JsonObject?]): MockTool {
  const [name, description, inputSchema, handler, extras] = parameters;
  const { searchHint, alwaysLoad, annotations } = extras ?? {};
  const meta = {
    ...(searchHint === undefined ? {} : { 'anthropic/searchHint': searchHint }),
    ...(alwaysLoad === true ? { 'anthropic/alwaysLoad': true } : {}),
  };
  return {
    name,
    description,
    inputSchema,
    handler,
    annotations,
    _meta: Object.keys(meta).length === 0 ? undefined : meta,
  };
}

export interface MockMcpServerOptions {
  readonly name: string;
  readonly version?: string;
  readonly tools?: readonly MockTool[];
}

export interface MockMcpServer {
  readonly type: 'sdk';
  readonly name: string;
  readonly instance: McpInstance;
}

/** `createSdkMcpServer()` of the SDK, with an instance that calls its tools. */
export function createSdkMcpServer(options: MockMcpServerOptions): MockMcpServer {
  return { type: 'sdk', name: options.name, instance: new McpInstance(options.tools ?? []) };
}

class McpInstance {
  readonly #tools: ReadonlyMap<string, MockTool>;

  constructor(tools: readonly MockTool[]) {
    this.#tools = new Map(tools.map((one) => [one.name, one]));
  }

  /** Runs a tool's handler as the child's call does; a handler that fails fails the call and nothing else. */
  async callTool(name: string, input: unknown, toolUseId: string): Promise<unknown> {
    const extra = { signal: new AbortController().signal, _meta: { 'claudecode/toolUseId': toolUseId } };
    try {
      return await this.#tools.get(name)?.handler(input, extra);
    } catch (error) {
      return { isError: true, content: [{ type: 'text', text: String(error) }] };
    }
  }
}

export type { McpInstance };

const MCP_NAME = /^mcp__(.+?)__(.+)$/;

/** Runs the handlers of in-process servers for the calls in a message of the model. */
export function callInProcessTools(message: JsonObject, servers: unknown): Promise<unknown> {
  if (message['type'] !== 'assistant') return Promise.resolve();
  const calls = asArray(asObject(message['message'])['content'])
    .map(asObject)
    .filter((block) => block['type'] === 'tool_use');
  return Promise.all(
    calls.map((call) => {
      const [, server = '', name = ''] = MCP_NAME.exec(asString(call['name']) ?? '') ?? [];
      const config = asObject(servers)[server];
      const instance = isObject(config) ? config['instance'] : undefined;
      return instance instanceof McpInstance ? instance.callTool(name, call['input'], String(call['id'])) : undefined;
    }),
  );
}
