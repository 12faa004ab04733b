import { given } from '../../model/given.ts';
import type { ContentBlock } from '../../model/message.ts';
import type { Decider } from '../../model/span.ts';
import { readBlocks } from '../sdk/content.ts';
import type { Emit } from '../sdk/envelope.ts';
import { type Fields, fieldsOf, numberIn, stringIn } from '../sdk/guards.ts';
import type { Speaker } from './speaker.ts';
import type { TimedRow } from './timed-row.ts';

/** What a user row of the main loop is. `local`: a command that the CLI answers itself, which may or may not be a turn. */
export type UserRowKind =
  | 'prompt'
  | 'command'
  | 'task_notification'
  | 'local'
  | 'interrupt'
  | 'result'
  | 'input'
  | 'none';

/** Of old versions only the words tell, of newer ones `turnOrigin` and `isMeta`. */
export function kindOfUserRow(fields: Fields, content: readonly ContentBlock[]): UserRowKind {
  if (content.length === 0) return 'none';
  if (content.some(({ type }) => type === 'tool_result')) return 'result';
  const text = content[0]?.type === 'text' ? content[0].text : '';
  if (text.startsWith('[Request interrupted by user')) return 'interrupt';
  if (/^<(local-command-(stdout|stderr|caveat)|bash-(input|stdout|stderr))>/.test(text)) return 'none';
  if (fields['isMeta'] === true || fields['isCompactSummary'] === true || fields['isVisibleInTranscriptOnly'] === true)
    return 'input';
  const isNotice = fields['turnOrigin'] === 'task_notification' || text.startsWith('<task-notification>');
  if (isNotice) return 'task_notification';
  if (text.startsWith('<command-name>') && fields['turnOrigin'] === undefined) return 'local';
  return /^<command-(name|message)>/.test(text) ? 'command' : 'prompt';
}

/** Results of tools, and whatever else the agent's next call will carry. */
export function readInput(row: TimedRow, by: Speaker, emit: Emit): void {
  const content = readBlocks(fieldsOf(row.fields['message'])?.['content']);
  if (content.length === 0) return;
  const { id, at } = row;
  for (const [index, block] of content.entries())
    if (block.type === 'tool_result')
      readResult({ ...row, id: index === 0 ? id : `${id}:${index}` }, { block, by }, emit);
  emit({ type: 'input', id, source: 'transcript', at, agent: by.ref, message: { role: 'user', content } });
}

const CUT: ReadonlySet<unknown> = new Set(['user-rejected', 'cancelled']);
const DECIDERS: Readonly<Record<string, Decider>> = { config: 'rule', hook: 'hook' };

interface Result {
  readonly block: ContentBlock & { readonly type: 'tool_result' };
  readonly by: Speaker;
}

function readResult({ fields, id, at }: TimedRow, { block, by }: Result, emit: Emit): void {
  const decision = fieldsOf(fields['permissionDecision']);
  // Whoever says no to a tool and to the whole turn leaves no decision; what was interrupted while it ran looks much the same.
  const isDenied = decision?.['decision'] === 'reject' || fields['toolDenialBeforeRun'] === true;
  const wasCut = !isDenied && CUT.has(fields['toolDenialKind']);
  by.openTools.delete(block.toolUseId);
  // The answer in the shape that was asked for ends the turn.
  if (block.toolUseId === by.structuredCall && !block.isError) by.stopReason = 'end_turn';
  by.wasDenied = isDenied;
  if (isDenied) by.denials += 1;
  emit({
    type: 'tool-result',
    id,
    source: 'transcript',
    at,
    agent: by.ref,
    toolCallId: block.toolUseId,
    output: block.content,
    isError: block.isError || wasCut,
    ...given('errorType', wasCut ? 'cancelled' : undefined),
    ...given('denied', isDenied ? { decidedBy: deciderOf(fields, stringIn(decision, 'source')) } : undefined),
    ...(goesOn(fieldsOf(fields['toolUseResult'])) ? { inBackground: true } : {}),
  });
}

/** Who answers when the user is asked: under the SDK, its host. */
function deciderOf(fields: Fields, source: string | undefined): Decider {
  if (source === undefined || source.startsWith('user')) return fields['entrypoint'] === 'cli' ? 'user' : 'host';
  return DECIDERS[source] ?? 'mode';
}

function goesOn(result: Fields | undefined): boolean {
  return (
    result?.['isAsync'] === true ||
    result?.['status'] === 'async_launched' ||
    typeof result?.['backgroundTaskId'] === 'string'
  );
}

/** The turn of its session that a row says it belongs to: what was sent while the agent was busy may join the running one. */
export function turnIndexOf(fields: Fields): number | undefined {
  return numberIn(fieldsOf(fields['turnPosition']), 'turnIndex');
}
