import { expect, test } from 'vitest';
import type { Span } from '../../model/span.ts';
import { playedRows } from './__fixtures__/played-rows.ts';
import { SessionText } from './__fixtures__/session-text.ts';

const session = (): SessionText => new SessionText('s');

function only<K extends Span['kind']>(spans: readonly Span[] | undefined, kind: K): (Span & { readonly kind: K })[] {
  return (spans ?? []).filter((span): span is Span & { readonly kind: K } => span.kind === kind);
}

const outcomes = (spans: readonly Span[] | undefined): string[] => only(spans, 'agent').map(({ outcome }) => outcome);

test('an answer of several rows is counted once, and rows of a streaming answer do not count', () => {
  const rows = session()
    .prompt('hi')
    .answer([{ type: 'text', text: 'one' }], { messageId: 'msg_1', outputTokens: 1 })
    .answer([{ type: 'text', text: 'two' }], { messageId: 'msg_1', stopReason: 'end_turn', outputTokens: 90 })
    .answer([{ type: 'text', text: 'three' }], { messageId: 'msg_1', stopReason: 'end_turn', outputTokens: 90 });
  const [call, ...others] = only(playedRows(rows.text).processes[0], 'llm');
  expect(others).toEqual([]);
  expect(call).toMatchObject({ requestId: 'req_1', messageId: 'msg_1', stopReason: 'end_turn' });
  expect(call?.usage).toEqual({ inputTokens: 1_110, cacheReadTokens: 1_000, cacheWriteTokens: 10, outputTokens: 90 });
  expect(call?.output?.[0]?.content).toHaveLength(3);
  expect(call?.costUsd).toBeUndefined();
});

test('an answer that never told why it stopped has no figures', () => {
  const rows = session()
    .prompt('hi')
    .answer([{ type: 'text', text: 'one' }], { outputTokens: 1 })
    .prompt('again')
    .say('yes');
  const [cut, whole] = only(playedRows(rows.text).processes.flat(), 'llm');
  expect([cut?.usage, whole?.usage?.outputTokens]).toEqual([undefined, 42]);
});

test('a call begins with its request, and its tools end with their results', () => {
  const rows = session()
    .prompt('hi')
    .row('api-request', {})
    .ask('toolu_1')
    .result('toolu_1', 'out')
    .say('done')
    .exit(0.5);
  const spans = playedRows(rows.text).processes[0];
  const seconds = (time: bigint | undefined): number => Number((time ?? 0n) / 1_000_000_000n) % 60;
  expect(only(spans, 'llm').map((call) => [seconds(call.startedAt), seconds(call.endedAt)])).toEqual([
    [2, 3],
    [4, 5],
  ]);
  expect(only(spans, 'tool').map((tool) => [seconds(tool.startedAt), seconds(tool.endedAt), tool.output])).toEqual([
    [3, 4, 'out'],
  ]);
  expect(only(spans, 'agent').map((turn) => [seconds(turn.startedAt), seconds(turn.endedAt)])).toEqual([[1, 5]]);
});

test('the last words of a process are the totals of its last turn; what they hold of the session before is not', () => {
  const rows = session().prompt('a').say('1').prompt('b').say('2').exit(0.5, { input: 10, output: 90 });
  rows.prompt('c').say('3').exit(0.75, { input: 15, output: 132 });
  const turns = playedRows(rows.text).processes.map((spans) => only(spans, 'agent').map(({ totals }) => totals));
  expect(turns).toMatchObject([
    [undefined, { costUsd: 0.5, usage: { outputTokens: 90 } }],
    [{ costUsd: 0.25, usage: { outputTokens: 42 } }],
  ]);
});

test('a killed process leaves a crashed turn, and the next one begins anew', () => {
  const rows = session().prompt('a').ask('toolu_1').prompt('b').say('2').exit(0.25);
  const { processes } = playedRows(rows.text);
  expect(processes.map(outcomes)).toEqual([['crashed'], ['completed']]);
  expect(only(processes[0], 'tool').map(({ status }) => status)).toEqual(['cancelled']);
});

test('a process that ended in the middle of a turn was stopped; its totals are known', () => {
  const rows = session().prompt('a').ask('toolu_1').result('toolu_1').exit(0.25);
  const [turn] = only(playedRows(rows.text).processes[0], 'agent');
  expect(turn).toMatchObject({ outcome: 'aborted', status: 'cancelled', totals: { costUsd: 0.25 } });
});

test('a hook may end a turn after any tool', () => {
  const stop = { attachment: { type: 'hook_stopped_continuation', hookEvent: 'PostToolUse' } };
  const rows = session().prompt('a').ask('toolu_1').result('toolu_1').row('attachment', stop).exit(0.25);
  expect(outcomes(playedRows(rows.text).processes[0])).toEqual(['completed']);
});

test('an answer in the shape that was asked for ends its turn', () => {
  const rows = session().prompt('a').ask('toolu_1', { name: 'StructuredOutput' }).result('toolu_1');
  expect(outcomes(playedRows(rows.text).processes[0])).toEqual(['completed']);
});

test('an interrupt ends a turn, and so does saying no to a tool; they are told apart', () => {
  const stop = { message: { role: 'user', content: '[Request interrupted by user for tool use]' } };
  const cut = { toolDenialKind: 'user-rejected' };
  const no = { permissionDecision: { decision: 'reject', source: 'user_reject' }, entrypoint: 'cli' };
  const rows = session().prompt('a').ask('toolu_1').result('toolu_1', 'no', cut).row('user', stop);
  rows.prompt('b').ask('toolu_2').result('toolu_2', 'no', no).row('user', stop);
  const [spans] = playedRows(rows.text).processes;
  expect(outcomes(spans)).toEqual(['interrupted', 'permission_denied']);
  expect(only(spans, 'tool').map(({ status, denied }) => [status, denied?.decidedBy])).toEqual([
    ['cancelled', undefined],
    ['error', 'user'],
  ]);
});

test('who says no to a tool, and to the whole turn with it, leaves no decision', () => {
  const stop = { message: { role: 'user', content: '[Request interrupted by user for tool use]' } };
  const no = { toolDenialKind: 'user-rejected', toolDenialBeforeRun: true };
  const rows = session().prompt('a').ask('toolu_1').result('toolu_1', 'no', no).row('user', stop);
  const [spans] = playedRows(rows.text).processes;
  expect(outcomes(spans)).toEqual(['permission_denied']);
  expect(only(spans, 'tool')[0]?.denied).toEqual({ decidedBy: 'host' });
});

test('a call that failed asked the model that its request names', () => {
  const rows = session()
    .prompt('a')
    .row('api-request', { params: { model: 'claude-haiku-4-5' } });
  const message = { model: '<synthetic>', content: [{ type: 'text', text: 'API Error: 400' }] };
  rows.row('assistant', { message, requestId: 'req_1', isApiErrorMessage: true, apiErrorStatus: 400 });
  const [spans] = playedRows(rows.text).processes;
  expect(outcomes(spans)).toEqual(['api_error']);
  expect(only(spans, 'llm')[0]).toMatchObject({ requestModel: 'claude-haiku-4-5', error: { type: '400' } });
});

test('what is sent while the agent is busy belongs to the running turn', () => {
  const position = { turnPosition: { turnIndex: 1 } };
  const rows = session().prompt('a', position).ask('toolu_1').prompt('and b', position);
  rows
    .row('attachment', { attachment: { type: 'queued_command', prompt: 'and c' } })
    .row('attachment', {
      attachment: { type: 'queued_command', prompt: '<task-notification> of a task that has ended' },
    })
    .result('toolu_1')
    .say('done');
  const [turn, ...others] = only(playedRows(rows.text).processes[0], 'agent');
  expect(others).toEqual([]);
  expect(turn?.input?.flatMap(({ content }) => content)).toMatchObject([
    { text: 'a' },
    { text: 'and b' },
    { text: 'and c' },
  ]);
});

test('a subagent of old versions, in the rows of its session, is found by its prompt', () => {
  const side = { isSidechain: true };
  const rows = session()
    .prompt('a')
    .ask('toolu_1', { name: 'Task', input: { prompt: 'look', subagent_type: 'finder' } });
  rows.prompt('look', { ...side, parentUuid: null });
  rows.ask('toolu_2', { fields: { ...side, parentUuid: rows.uuid } });
  rows.result('toolu_2', 'found', { ...side, parentUuid: rows.uuid });
  rows.say('it is there', { fields: { ...side, parentUuid: rows.uuid } });
  rows.result('toolu_1', 'it is there').say('done');
  const [spans] = playedRows(rows.text).processes;
  const [subagent, turn] = only(spans, 'agent');
  const tool = only(spans, 'tool').find(({ toolCallId }) => toolCallId === 'toolu_1');
  expect(subagent).toMatchObject({
    role: 'subagent',
    agentName: 'finder',
    outcome: 'completed',
    llmCalls: 2,
    toolCalls: 1,
  });
  expect(subagent?.parentSpanId).toBe(tool?.spanId);
  expect(turn).toMatchObject({ role: 'main', outcome: 'completed', llmCalls: 2, toolCalls: 1 });
});

test('a subagent of which nothing is known but its rows is placed by the result of the call that asked for it', () => {
  const rows = session().prompt('a').ask('toolu_1', { name: 'Agent' });
  rows.result('toolu_1', 'found', { toolUseResult: { agentId: 'a1', agentType: 'finder' } }).say('done');
  const own = new SessionText('s-a1', { sessionId: 's', agentId: 'a1', isSidechain: true });
  own.prompt('look').say('it is there');
  const [spans] = playedRows(rows.text, [{ agentId: 'a1', text: own.text }]).processes;
  const [tool] = only(spans, 'tool');
  const subagent = only(spans, 'agent').find(({ role }) => role === 'subagent');
  expect(subagent).toMatchObject({
    agentId: 'a1',
    agentName: 'finder',
    parentSpanId: tool?.spanId,
    outcome: 'completed',
  });
});

test('of a fork, what the copied rows used is in its totals, which say nothing therefore', () => {
  const original = session().prompt('a').say('1').exit(0.5);
  const fork = original.fork('f').prompt('b').say('2').exit(0.75).prompt('c').say('3').exit(1);
  const turns = playedRows(fork.text).processes.map((spans) =>
    only(spans, 'agent').map(({ totals }) => totals?.costUsd),
  );
  expect(turns).toEqual([[undefined, undefined], [0.25]]);
});

test('whoever reads the same rows again gives the same ids, and so does who reads a copy', () => {
  const original = session().prompt('a').ask('toolu_1').result('toolu_1').say('1').exit(0.5);
  const ids = (text: string) =>
    playedRows(text)
      .processes.flat()
      .map(({ key, spanId, traceId }) => ({ key, spanId, traceId }));
  expect(ids(original.text)).toEqual(ids(original.text));
  expect(ids(original.fork('f').text)).toEqual(ids(original.text));
  expect(new Set(ids(original.text).map(({ spanId }) => spanId)).size).toBe(4);
});

test('a tool call that another message asked for under the same id is another', () => {
  const rows = session().prompt('a').ask('toolu_1').result('toolu_1').ask('toolu_1').result('toolu_1').say('done');
  const tools = only(playedRows(rows.text).processes[0], 'tool');
  expect(new Set(tools.map(({ spanId }) => spanId)).size).toBe(2);
});

test('rows that say nothing are silent; what cannot be read is told, and the rest is read', () => {
  const rows = session()
    .prompt('a')
    .line('{"type":"summary","summary":"x"}')
    .line('{"tools":[],"type":"tools-used"}')
    .line('{"type":"from-the-future"}')
    .line('{"type":');
  rows.line('[]').line('{"type":"user"}').line('{"type":"<script>"}').say('done');
  const { processes, skipped } = playedRows(rows.text);
  expect(skipped).toEqual([
    'of unknown type from-the-future',
    'not JSON',
    'not a record',
    'without a time',
    'of unknown type (no name)',
  ]);
  expect(outcomes(processes[0])).toEqual(['completed']);
});
