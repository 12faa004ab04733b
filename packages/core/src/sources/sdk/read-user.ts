import type { ContentBlock, Message } from '../../model/message.ts';
import type { ToolResultSeen } from '../../model/observation.ts';
import type { Decider } from '../../model/span.ts';
import { readBlocks } from './content.ts';
import { given } from '../../model/given.ts';
import { type Fields, fieldsOf, listIn, numberIn, stringIn } from './guards.ts';
import type { Emit, Envelope } from './envelope.ts';

/** Tool results, one message each and in the order in which they came; and whatever else the model is told. */
export function readUser(envelope: Envelope, emit: Emit): void {
  const { message, id, at, agent } = envelope;
  if (message['isReplay'] === true) return;
  const content = readBlocks(fieldsOf(message['message'])?.['content']);
  if (content.length === 0) return;
  const told: Message = { role: 'user', content };
  const last = content.findLast(isToolResult);
  if (last === undefined) {
    emit({ type: 'input', id, source: 'sdk', at, agent, message: told });
    return;
  }
  for (const block of content) {
    if (!isToolResult(block)) continue;
    // Ids that are put together cost more than all else that is done with them; nearly all messages have one result.
    const own = block === content[0] ? id : `${id}:${block.toolUseId}`;
    emit(readToolResult(envelope, { block, id: own, ...(block === last && { message: told }) }));
  }
}

type ToolResult = ContentBlock & { readonly type: 'tool_result' };

function isToolResult(block: ContentBlock): block is ToolResult {
  return block.type === 'tool_result';
}

type Draft = { -readonly [K in keyof ToolResultSeen]: ToolResultSeen[K] };

const DECIDERS: Readonly<Record<string, Decider>> = { config: 'rule', hook: 'hook' };

interface Result {
  readonly id: string;
  readonly block: ToolResult;
  readonly message?: Message;
}

function readToolResult(envelope: Envelope, { block, id, message: told }: Result): ToolResultSeen {
  const { message, at, agent } = envelope;
  const meta = metaOf(message, block.toolUseId);
  const decision = fieldsOf(meta?.['permission_decision']);
  const isDenied = decision?.['decision'] === 'reject';
  // Rejected without anyone having been asked: the run was interrupted while it ran.
  const wasCut = !isDenied && isRejected(message, meta);
  const inBackground = goesOn(fieldsOf(message['tool_use_result']));
  const seen: Draft = {
    type: 'tool-result',
    id,
    source: 'sdk',
    at,
    agent,
    toolCallId: block.toolUseId,
    output: block.content,
    isError: block.isError || wasCut,
  };
  if (told !== undefined) seen.message = told;
  if (!wasCut && !isDenied && !inBackground) return seen;
  return {
    ...seen,
    ...given('errorType', wasCut ? 'cancelled' : undefined),
    ...given('denied', isDenied ? { decidedBy: deciderOf(stringIn(decision, 'source')) } : undefined),
    ...(inBackground && { inBackground }),
  };
}

/** Of a tool of a subagent only the result itself says so; what somebody has refused begins with "Error: " there. */
function isRejected(message: Fields, meta: Fields | undefined): boolean {
  if (meta === undefined) return message['tool_use_result'] === 'User rejected tool use';
  return meta['non_execution_kind'] === 'user-rejected';
}

function metaOf(message: Fields, toolUseId: string): Fields | undefined {
  for (const entry of listIn(message, 'tool_result_meta')) {
    const meta = fieldsOf(entry);
    if (meta?.['id'] === toolUseId) return meta;
  }
  return undefined;
}

function deciderOf(source: string | undefined): Decider {
  // In a run under the SDK, the host answers for the user.
  if (source === undefined || source.startsWith('user')) return 'host';
  return DECIDERS[source] ?? 'mode';
}

function goesOn(result: Fields | undefined): boolean {
  return (
    result?.['isAsync'] === true ||
    result?.['status'] === 'async_launched' ||
    typeof result?.['backgroundTaskId'] === 'string'
  );
}

/** Retries inside a subagent show up nowhere else in the stream. */
export function readToolProgress({ message, id, at }: Envelope, emit: Emit): void {
  const retry = fieldsOf(message['subagent_retry']);
  const agentId = stringIn(retry, 'agent_id');
  if (retry === undefined || agentId === undefined) return;
  const attributes = {
    ...given('attempt', numberIn(retry, 'attempt')),
    ...given('max_retries', numberIn(retry, 'max_retries')),
    ...given('retry_delay_ms', numberIn(retry, 'retry_delay_ms')),
    ...given('status_code', numberIn(retry, 'error_status')),
    ...given('error', stringIn(retry, 'error_category')),
  };
  emit({ type: 'event', id, source: 'sdk', at, agent: { agentId }, event: { name: 'retry', at, attributes } });
}
