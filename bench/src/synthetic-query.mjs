// Stands for the SDK: messages in the shapes that a real one hands out, as fast as the consumer takes them.

const SESSION = '6f1c2d34-5b6a-4789-8abc-0123456789ab';
const MODEL = 'claude-sonnet-4-5';
const RESULT_TEXT = 'drwxr-xr-x  7 node node  4096 Nov 21 08:27 src/components/editor\n'.repeat(16);
const STREAM_DELTAS = 94;
/** A child's stdout comes in chunks: between two of them the event loop turns, and exporters get to work. */
const MESSAGES_PER_CHUNK = 64;

/**
 * An SDK whose `query()` makes `messages` messages, half of them answers (text and a tool call), half of them results of ~1 KB.
 * With `partials`, 100 stream events go before each answer. `onMessage` is told before each message how many went before.
 */
export function syntheticSdk({ messages, partials = false, onMessage = () => {} }) {
  return {
    query({ prompt, options = {} }) {
      return new SyntheticQuery(conversation({ prompt, hooks: options.hooks ?? {}, messages, partials, onMessage }));
    },
  };
}

/** As the SDK's own: an async generator with controls of its own. */
class SyntheticQuery {
  #messages;

  constructor(messages) {
    this.#messages = messages;
  }

  [Symbol.asyncIterator]() {
    return this;
  }

  next(...values) {
    return this.#messages.next(...values);
  }

  return(value) {
    return this.#messages.return(value);
  }

  throw(error) {
    return this.#messages.throw(error);
  }

  async interrupt() {}

  close() {}
}

async function* conversation({ hooks, messages, partials, onMessage }) {
  let made = 0;
  let turns = 0;
  const pace = () => {
    onMessage(made);
    made += 1;
    return made % MESSAGES_PER_CHUNK === 0 ? new Promise((resolve) => setImmediate(resolve)) : undefined;
  };
  await pace();
  yield initMessage();
  while (made < messages - 1) {
    turns += 1;
    const call = callOf(turns);
    if (partials) {
      for (const event of streamEvents(call)) {
        await pace();
        yield event;
      }
    }
    await pace();
    yield answerMessage(call);
    await runHooks(hooks, 'PreToolUse', call);
    await runHooks(hooks, 'PostToolUse', call);
    await pace();
    yield toolResultMessage(call);
  }
  yield resultMessage(turns);
}

async function runHooks(hooks, event, call) {
  for (const matcher of hooks[event] ?? []) {
    for (const hook of matcher.hooks) await hook(hookInput(event, call), call.toolCallId, { signal: undefined });
  }
}

function hookInput(event, call) {
  return {
    hook_event_name: event,
    session_id: SESSION,
    transcript_path: '/home/node/.claude/projects/-srv-project/session.jsonl',
    cwd: '/srv/project',
    permission_mode: 'default',
    tool_name: 'Bash',
    tool_input: call.toolInput,
    tool_use_id: call.toolCallId,
    ...(event === 'PostToolUse' ? { tool_response: call.toolResponse, duration_ms: 12 } : {}),
  };
}

/** What a call and its tool are known by. New strings each time, as from parsed JSON. */
function callOf(number) {
  const digits = String(number).padStart(12, '0');
  const stdout = flat(`${digits}\n${RESULT_TEXT}`);
  return {
    number,
    messageId: flat(`msg_01${digits}`),
    requestId: flat(`req_01${digits}`),
    toolCallId: flat(`toolu_01${digits}`),
    digits,
    text: `I will look at part ${number} of the project first, then change what it exports.`,
    toolInput: { command: `ls -la src/components/part-${number}`, description: `List part ${number}` },
    toolResponse: { stdout, stderr: '', interrupted: false, isImage: false, noOutputExpected: false },
  };
}

function uuid(kind, digits) {
  return flat(`e1b9c8e9-b86f-417b-8${kind}-${digits}`);
}

/** A parsed string is one piece; one that was put together is a tree of pieces, and the first who looks into it pays for joining them. */
function flat(text) {
  return Buffer.from(text, 'latin1').latin1Slice();
}

const FIRST_AT = Date.parse('2026-11-21T08:27:03.250Z');

function timestamp(number, offsetMs) {
  return new Date(FIRST_AT + number * 40 + offsetMs).toISOString();
}

function initMessage() {
  return {
    type: 'system',
    subtype: 'init',
    cwd: '/srv/project',
    session_id: SESSION,
    tools: ['Task', 'Bash', 'Edit', 'Read', 'Write', 'WebFetch', 'WebSearch', 'Skill', 'TaskCreate', 'TaskList'],
    mcp_servers: [],
    model: MODEL,
    permissionMode: 'default',
    slash_commands: ['compact', 'context', 'init', 'review'],
    apiKeySource: 'ANTHROPIC_API_KEY',
    claude_code_version: '2.1.329',
    output_style: 'default',
    agents: ['claude', 'Explore', 'general-purpose', 'Plan'],
    skills: [],
    plugins: [],
    uuid: uuid('aaa', '000000000000'),
  };
}

/** The usage of a stream's first event: what the SDK hands out with each answer. */
function startUsage(number) {
  return {
    input_tokens: 12 + (number % 50),
    cache_creation_input_tokens: 300,
    cache_read_input_tokens: 4000 + number,
    cache_creation: { ephemeral_5m_input_tokens: 300, ephemeral_1h_input_tokens: 0 },
    output_tokens: 1,
    service_tier: 'standard',
  };
}

function answerMessage({ messageId, requestId, toolCallId, toolInput, text, number, digits }) {
  return {
    type: 'assistant',
    message: {
      id: messageId,
      type: 'message',
      role: 'assistant',
      model: MODEL,
      content: [
        { type: 'text', text },
        { type: 'tool_use', id: toolCallId, name: 'Bash', input: toolInput },
      ],
      stop_reason: null,
      stop_sequence: null,
      usage: startUsage(number),
      context_management: null,
    },
    parent_tool_use_id: null,
    session_id: SESSION,
    uuid: uuid('a11', digits),
    timestamp: timestamp(number, 0),
    request_id: requestId,
  };
}

function toolResultMessage({ toolCallId, toolResponse, number, digits }) {
  return {
    type: 'user',
    message: {
      role: 'user',
      content: [{ tool_use_id: toolCallId, type: 'tool_result', content: toolResponse.stdout, is_error: false }],
    },
    parent_tool_use_id: null,
    session_id: SESSION,
    uuid: uuid('b22', digits),
    timestamp: timestamp(number, 20),
    tool_use_result: toolResponse,
    tool_result_meta: [
      { id: toolCallId, permission_decision: { decision: 'accept', source: 'config', reason_type: 'rule' } },
    ],
  };
}

/** 100 events: start, text, tool input, delta, stop. */
function* streamEvents(call) {
  let index = 0;
  const wrap = (event, extra = {}) => {
    index += 1;
    return {
      type: 'stream_event',
      event,
      session_id: SESSION,
      parent_tool_use_id: null,
      uuid: uuid('c33', `${call.digits.slice(3)}${String(index).padStart(3, '0')}`),
      ...extra,
      api_message_id: call.messageId,
    };
  };
  const message = { id: call.messageId, type: 'message', role: 'assistant', model: MODEL, content: [] };
  const start = { ...message, stop_reason: null, stop_sequence: null, usage: startUsage(call.number) };
  yield wrap({ type: 'message_start', message: start }, { ttft_ms: 40 });
  yield wrap({ type: 'content_block_start', index: 0, content_block: { type: 'text', text: '' } });
  for (let delta = 0; delta < STREAM_DELTAS; delta++) {
    yield wrap({ type: 'content_block_delta', index: 0, delta: { type: 'text_delta', text: ` word${delta}` } });
  }
  yield wrap({ type: 'content_block_stop', index: 0 });
  const block = { type: 'tool_use', id: call.toolCallId, name: 'Bash', input: {} };
  yield wrap({ type: 'content_block_start', index: 1, content_block: block });
  const usage = { ...startUsage(call.number), output_tokens: 96, output_tokens_details: { thinking_tokens: 0 } };
  yield wrap({ type: 'message_delta', delta: { stop_reason: 'tool_use', stop_sequence: null }, usage });
  yield wrap({ type: 'message_stop' });
}

function resultMessage(turns) {
  const figures = { inputTokens: 30 * turns, outputTokens: 96 * turns, cacheReadInputTokens: 4000 * turns };
  const model = { ...figures, cacheCreationInputTokens: 300 * turns, webSearchRequests: 0, costUSD: 0.01 * turns };
  return {
    type: 'result',
    subtype: 'success',
    is_error: false,
    duration_ms: 40 * turns,
    duration_api_ms: 30 * turns,
    num_turns: turns,
    result: 'Done.',
    stop_reason: 'end_turn',
    session_id: SESSION,
    total_cost_usd: 0.01 * turns,
    usage: {
      input_tokens: 30 * turns,
      cache_creation_input_tokens: 300 * turns,
      cache_read_input_tokens: 4000 * turns,
      output_tokens: 96 * turns,
      service_tier: 'standard',
    },
    modelUsage: { [MODEL]: model },
    model_usage_since_last_result: { [MODEL]: model },
    permission_denials: [],
    terminal_reason: 'completed',
    uuid: uuid('d44', '000000000000'),
  };
}
