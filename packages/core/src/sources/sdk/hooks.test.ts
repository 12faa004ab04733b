import { describe, expect, test } from 'vitest';
import type { Observation } from '../../model/observation.ts';
import { withHooks } from './hooks.ts';

const NOW = 1_700_000_000_000_000_000n;

function setUp(userHooks?: unknown, observe?: () => never) {
  const observed: Observation[] = [];
  const caught: string[] = [];
  const hooks = withHooks(userHooks, {
    observe: observe ?? ((observation) => observed.push(observation)),
    clock: { now: () => NOW },
    guard: (what, run) => {
      try {
        return run();
      } catch {
        caught.push(what);
        return undefined;
      }
    },
    turn: () => 3,
  });
  return { hooks, observed, caught };
}

type Hook = (input: unknown) => Promise<unknown>;

function ours(hooks: Readonly<Record<string, unknown>>, event: string): Hook {
  const [hook] = (hooks[event] as { hooks: Hook[] }[]).at(-1)?.hooks ?? [];
  if (hook === undefined) throw new Error(`no hook for ${event}`);
  return hook;
}

const input = { hook_event_name: 'PostToolUse', tool_use_id: 'toolu_1', tool_name: 'Bash', duration_ms: 250 };

describe('hooks', () => {
  test('of the user come first, ours after them, and those of other events stay alone', () => {
    const mine = { matcher: 'Bash', hooks: [async () => ({})] };
    const start = [{ hooks: [] }];
    const { hooks } = setUp({ PostToolUse: [mine], SessionStart: start });
    expect(hooks['PostToolUse']).toHaveLength(2);
    expect((hooks['PostToolUse'] as unknown[])[0]).toBe(mine);
    expect(hooks['PostToolUseFailure']).toHaveLength(1);
    expect(hooks['SessionStart']).toBe(start);
    expect(Object.keys(hooks).toSorted()).toEqual(['PostToolUse', 'PostToolUseFailure', 'SessionStart']);
  });

  test('of the user are not touched', () => {
    const user = Object.freeze({ PostToolUse: Object.freeze([Object.freeze({ hooks: [] })]) });
    const { hooks } = setUp(user);
    expect(user.PostToolUse).toHaveLength(1);
    expect(hooks).not.toBe(user);
  });

  test('match every tool', () => {
    const { hooks } = setUp();
    expect((hooks['PostToolUse'] as object[])[0]).not.toHaveProperty('matcher');
  });

  test('answer with an empty object, which changes nothing', async () => {
    const { hooks } = setUp();
    for (const given of [input, {}, undefined, 'text', null])
      expect(await ours(hooks, 'PostToolUse')(given)).toEqual({});
  });

  test('say nothing when observing throws', async () => {
    const { hooks, caught } = setUp(undefined, () => {
      throw new Error('ours');
    });
    expect(await ours(hooks, 'PostToolUse')(input)).toEqual({});
    expect(caught).toEqual(['hook']);
  });

  test('measure a tool from its duration', async () => {
    const { hooks, observed } = setUp();
    await ours(hooks, 'PostToolUse')({ ...input, tool_input: { command: 'ls' }, tool_response: 'a' });
    expect(observed).toEqual([
      expect.objectContaining({
        type: 'tool-measured',
        part: 'hook',
        toolCallId: 'toolu_1',
        toolName: 'Bash',
        agent: { turn: 3 },
        startedAt: NOW - 250_000_000n,
        endedAt: NOW,
        input: { command: 'ls' },
        output: 'a',
      }),
    ]);
    expect(observed[0]).not.toHaveProperty('error');
  });

  test('name the subagent and the error where there are such', async () => {
    const { hooks, observed } = setUp();
    await ours(hooks, 'PostToolUseFailure')({ ...input, agent_id: 'a1', error: 'exit 1' });
    expect(observed).toEqual([
      expect.objectContaining({ agent: { agentId: 'a1' }, error: { type: 'tool_error', message: 'exit 1' } }),
    ]);
  });

  test.each([
    ['a duration', { tool_use_id: 'toolu_1' }],
    ['an id', { duration_ms: 1 }],
    ['a number for a duration', { tool_use_id: 'toolu_1', duration_ms: '1' }],
  ])('measure nothing without %s', async (_, given) => {
    const { hooks, observed } = setUp();
    await ours(hooks, 'PostToolUse')(given);
    expect(observed).toEqual([]);
  });
});
