import type { Observation } from '@spanprism/core/sessions';
import { beforeEach, expect, test } from 'vitest';
import { FileTurns } from './file-turns.ts';

let told: Observation[];
let turns: FileTurns;
beforeEach(() => {
  told = [];
  turns = new FileTurns((observation) => void told.push(observation));
});

let ids = 0;
const seen = <T extends object>(rest: T): Observation => {
  ids += 1;
  return { id: `id-${ids}`, source: 'transcript', at: 1n, ...rest } as unknown as Observation;
};
const prompt = (turn: number, userMessageId: string): Observation =>
  seen({ type: 'turn-start', turn, userMessageId, prompt: { role: 'user', content: [] } });
const answer = (turn: number, name: string): Observation =>
  seen({ type: 'answer', agent: { turn }, call: { messageId: name }, model: 'm', blocks: [] });

/** What was told: of turns their number, of answers that of their turn and their name. */
const words = (): readonly string[] =>
  told.splice(0).map((one) => {
    if (one.type === 'turn-start') return `turn ${one.turn}`;
    return one.type === 'answer' ? `${one.agent.turn} ${one.call.messageId}` : one.type;
  });

test('a turn waits for its name, and takes its number', () => {
  turns.observe(prompt(0, 'a'));
  turns.observe(answer(0, 'one'));
  expect(words()).toEqual([]);
  turns.named('a', { turn: 7, hasText: true });
  turns.observe(answer(0, 'two'));
  expect(words()).toEqual(['turn 7', '7 one', '7 two']);
});

test('what telemetry knows by no name is passed over, whether its file was read before or after', () => {
  for (const name of ['local', 'b']) turns.observe(prompt(name === 'b' ? 1 : 0, name));
  turns.named('b', { turn: 3, hasText: true });
  turns.named('c', { turn: 5, hasText: true });
  for (const one of [prompt(2, 'local too'), answer(2, 'nobody'), prompt(3, 'c'), answer(3, 'one')]) turns.observe(one);
  expect(words()).toEqual(['turn 3', 'turn 5', '5 one']);
});

test('a prompt that joined the turn is of the turn, and one that took the place of another is of its own', () => {
  turns.named('a', { turn: 2, hasText: true });
  turns.named('joined', { turn: 2, hasText: true });
  // In the file, a prompt that was taken back before there was an answer has the number of that which came then.
  for (const one of [prompt(0, 'a'), prompt(0, 'joined'), answer(0, 'one'), prompt(0, 'b'), answer(0, 'two')])
    turns.observe(one);
  expect(words()).toEqual(['turn 2', 'turn 2', '2 one']);
  turns.named('b', { turn: 3, hasText: true });
  expect(words()).toEqual(['turn 3', '3 two']);
});

test.each([
  [true, false],
  [false, true],
])('the words of a prompt are told where telemetry has not told them (%s)', (hasText, isTold) => {
  turns.named('a', { turn: 0, hasText });
  turns.observe(prompt(0, 'a'));
  expect(told.map((one) => 'prompt' in one)).toEqual([isTold]);
});

test('when a turn ends, and what it took, is left to telemetry; that it was interrupted is not', () => {
  turns.named('a', { turn: 0, hasText: true });
  turns.observe(prompt(0, 'a'));
  for (const type of ['turn-result', 'session', 'counters', 'task-end', 'query-end']) turns.observe(seen({ type }));
  expect(words()).toEqual(['turn 0', 'query-end']);
});

test('what a subagent did stays its own', () => {
  turns.named('a', { turn: 4, hasText: true });
  turns.observe(prompt(0, 'a'));
  turns.observe(seen({ type: 'answer', agent: { agentId: 'x' }, call: {}, model: 'm', blocks: [] }));
  expect(told.at(-1)).toMatchObject({ agent: { agentId: 'x' } });
  expect(told.at(-1)).not.toHaveProperty('agent.turn');
});
