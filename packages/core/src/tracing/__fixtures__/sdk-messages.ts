/** Messages of the SDK's stream, with as much in them as a trace needs. */
export type Message = Readonly<Record<string, unknown>>;

let unique = 0;
const uuid = (): string => `uuid-${(unique += 1)}`;

export const init = (): Message => ({
  type: 'system',
  subtype: 'init',
  uuid: uuid(),
  session_id: 's',
  model: 'm',
  cwd: '/',
});

export const user = (text: string): Message => ({ type: 'user', message: { role: 'user', content: text } });

interface Answer {
  readonly requestId?: string;
  /** The `Agent` call of the subagent that speaks. */
  readonly by?: string;
  readonly blocks?: readonly Message[];
}

export const answer = (messageId: string, { requestId, by, blocks }: Answer = {}): Message => ({
  type: 'assistant',
  uuid: uuid(),
  ...(requestId === undefined ? {} : { request_id: requestId }),
  parent_tool_use_id: by ?? null,
  message: { id: messageId, model: 'm', content: blocks ?? [{ type: 'text', text: messageId }] },
});

export const toolUse = (id: string, name: string): Message => ({ type: 'tool_use', id, name, input: {} });

export const toolResult = (id: string, by?: string): Message => ({
  type: 'user',
  uuid: uuid(),
  parent_tool_use_id: by ?? null,
  message: { role: 'user', content: [{ type: 'tool_result', tool_use_id: id, content: 'ok' }] },
});

export const taskStarted = (agentId: string, toolCallId: string): Message => ({
  type: 'system',
  subtype: 'task_started',
  uuid: uuid(),
  task_id: agentId,
  tool_use_id: toolCallId,
});

export const taskDone = (agentId: string): Message => ({
  type: 'system',
  subtype: 'task_notification',
  uuid: uuid(),
  task_id: agentId,
  status: 'completed',
});

/** What the turn used, and what it cost. */
export const result = (used?: { readonly input: number; readonly output: number; readonly costUsd: number }): Message => ({
  type: 'result',
  subtype: 'success',
  uuid: uuid(),
  is_error: false,
  num_turns: 1,
  session_id: 's',
  ...(used === undefined
    ? {}
    : {
        model_usage_since_last_result: {
          m: { inputTokens: used.input, outputTokens: used.output, costUSD: used.costUsd },
        },
      }),
});
