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
  project: { type: 'string', value: 'name', description: 'The project of the run (default: the name of the folder)' },
  user: { type: 'string', value: 'id', description: 'Whose run it is' },
  tag: { type: 'string', multiple: true, value: 'tag', description: 'A tag of the run' },
  quiet: { type: 'boolean', short: 'q', description: 'Print nothing of our own' },
};
