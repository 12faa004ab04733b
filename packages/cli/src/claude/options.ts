import type { OptionTable } from '../command.ts';

/** They stand before the word `claude`; everything behind it is claude's own. */
export const claudeOptions: OptionTable = {
  quiet: { type: 'boolean', short: 'q', description: 'Do not print the line at the end' },
};
