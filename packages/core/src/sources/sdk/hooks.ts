import { given } from '../../model/given.ts';
import type { Observation, ToolMeasured } from '../../model/observation.ts';
import { type Clock, unixNanoFromMs } from '../../model/time.ts';
import { type Fields, fieldsOf, numberIn, stringIn } from './guards.ts';
import type { Guard } from './query-watch.ts';

export interface HookOptions {
  readonly observe: (observation: Observation) => void;
  readonly clock: Clock;
  readonly guard: Guard;
  readonly turn: () => number;
}

const EVENTS = ['PostToolUse', 'PostToolUseFailure'] as const;

/**
 * The user's hooks and, after them, ours. Each costs a round trip per tool, and a pending tool is rejected instead of run
 * when the consumer leaves: that is why they are opt-in.
 */
export function withHooks(userHooks: unknown, options: HookOptions): Fields {
  const hooks: Record<string, unknown> = { ...fieldsOf(userHooks) };
  for (const event of EVENTS) {
    const matchers: unknown = hooks[event];
    const ours = { hooks: [async (input: unknown): Promise<object> => observed(input, options)] };
    hooks[event] = [...(Array.isArray(matchers) ? matchers : []), ours];
  }
  return hooks;
}

/** Says nothing, whatever happens: an empty answer changes nothing. */
function observed(input: unknown, options: HookOptions): object {
  options.guard('hook', () => {
    const measured = measure(fieldsOf(input), options);
    if (measured !== undefined) options.observe(measured);
  });
  return {};
}

function measure(input: Fields | undefined, { clock, turn }: HookOptions): ToolMeasured | undefined {
  const toolCallId = stringIn(input, 'tool_use_id');
  const durationMs = numberIn(input, 'duration_ms');
  if (input === undefined || toolCallId === undefined || durationMs === undefined) return undefined;
  const at = clock.now();
  const agentId = stringIn(input, 'agent_id');
  const error = stringIn(input, 'error');
  return {
    type: 'tool-measured',
    part: 'hook',
    id: `hook:${toolCallId}:${stringIn(input, 'hook_event_name')}`,
    source: 'hooks',
    at,
    agent: agentId === undefined ? { turn: turn() } : { agentId },
    toolCallId,
    startedAt: at - unixNanoFromMs(durationMs),
    endedAt: at,
    ...given('toolName', stringIn(input, 'tool_name')),
    ...given('input', input['tool_input']),
    ...given('output', input['tool_response']),
    ...given('error', error === undefined ? undefined : { type: 'tool_error', message: error }),
  };
}
