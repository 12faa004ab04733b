import type { OptionTable } from '../command.ts';
import { sinkOptions } from '../sinks/options.ts';

/** They stand before the word `claude`; everything behind it is claude's own. */
export const claudeOptions: OptionTable = {
  ...sinkOptions,
  wire: {
    type: 'boolean',
    description:
      'Capture the requests to the model themselves: whole prompts, tool definitions, every byte of the answers',
  },
  quiet: { type: 'boolean', short: 'q', description: 'Print nothing of our own' },
};
