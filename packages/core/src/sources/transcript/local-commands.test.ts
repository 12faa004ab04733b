import { expect, test } from 'vitest';
import type { AgentSpan } from '../../model/span.ts';
import { playedRows } from './__fixtures__/played-rows.ts';
import { SessionText } from './__fixtures__/session-text.ts';

/** Turns: what began them, from when to when in seconds, and what they used. */
function turnsOf({ text }: SessionText, hasLocalTurns: boolean): readonly unknown[] {
  const seconds = (time: bigint | undefined): number => Number((time ?? 0n) / 1_000_000_000n) % 60;
  return playedRows(text, [], { hasLocalTurns })
    .processes.flat()
    .filter((span): span is AgentSpan => span.kind === 'agent')
    .map((turn) => [turn.trigger, seconds(turn.startedAt), seconds(turn.endedAt), turn.totals?.costUsd]);
}

const session = (): SessionText => new SessionText('s').prompt('hi').say('hello');

test('what is typed after a turn is no part of it', () => {
  const rows = session().command('cost', '$0.50').exit(0.5);
  expect(turnsOf(rows, true)).toEqual([
    ['prompt', 1, 2, undefined],
    ['command', 4, 5, 0.5],
  ]);
});

test('passed over, a command that the CLI answers itself takes nothing from the turn before it', () => {
  const rows = session().command('cost', '$0.50').command('exit', 'Bye!').exit(0.5);
  expect(turnsOf(rows, false)).toEqual([['prompt', 1, 2, 0.5]]);
  rows.prompt('again').say('yes').exit(0.75);
  expect(turnsOf(rows, false)).toEqual([
    ['prompt', 1, 2, 0.5],
    ['prompt', 9, 10, 0.25],
  ]);
});

test('a session of nothing else has no turns', () => {
  expect(turnsOf(new SessionText('s').command('cost', '$0.00').exit(0), false)).toEqual([]);
});

test('a command that had the model sum up the conversation is a turn in any case', () => {
  const rows = session().row('system', { subtype: 'compact_boundary', compactMetadata: { trigger: 'manual' } });
  expect(turnsOf(rows.command('compact', 'Compacted').exit(0.5), false)).toEqual([
    ['prompt', 1, 3, undefined],
    ['command', 5, 6, 0.5],
  ]);
});
