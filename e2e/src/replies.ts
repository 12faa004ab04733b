import { type Block, toolUse, type WireUsage } from '@spanprism/testkit';

/** Usage with a cached part, as every real call has one. */
export const usage = (input: number, output: number): WireUsage => ({
  input_tokens: input,
  output_tokens: output,
  cache_creation_input_tokens: 300,
  cache_read_input_tokens: 4000,
});

/** A call of the `Bash` tool. */
export const bash = (id: string, command: string): Block =>
  toolUse({ id, name: 'Bash', input: { command, description: 'run it' } });

/** A call of the `Agent` tool; without `background: false` it runs in the background, as is its default. */
export const agent = (id: string, prompt: string, background?: boolean): Block =>
  toolUse({
    id,
    name: 'Agent',
    input: {
      description: 'a task',
      prompt,
      subagent_type: 'general-purpose',
      ...(background === undefined ? {} : { run_in_background: background }),
    },
  });
