import type { Command } from '../command.ts';
import { FILTER_OPTIONS, refuseArguments } from '../reports/filter-options.ts';

const { since, until, project, model, user, branch, tag } = FILTER_OPTIONS;

export const command: Command = {
  name: 'ci',
  summary: 'Sum up the runs of this job as Markdown, and fail it over a budget',
  usage: ['spanprism ci [options]', 'spanprism ci --max-cost 2.50', 'spanprism ci --since 1h'],
  options: {
    'max-cost': { type: 'string', value: 'usd', description: 'Exit with 1 if the runs cost more dollars: 2.50' },
    'max-tokens': { type: 'string', value: 'n', description: 'Exit with 1 if they used more tokens, in and out' },
    errors: { type: 'boolean', description: 'Show the words of errors too, which may quote what the agent read' },
    since: {
      ...since!,
      description: `${since!.description}. Default: since this job began, or of the last day where nobody says when it did`,
    },
    ...{ until: until!, project: project!, model: model!, user: user!, branch: branch!, tag: tag! },
  },
  notes: [
    'The page goes to stdout, and on GitHub to the summary of the step as well; cost_usd, input_tokens, output_tokens, runs, failed and cut are outputs of the step.',
    'Exits with 1 over a budget, else with 0: whether claude failed is for its own step to say.',
  ],
  run: async ({ values, positionals }, io) => {
    refuseArguments('ci', positionals);
    // Help and wrong usage need none of it.
    const { sumUp } = await import('./sum-up.ts');
    return sumUp(values, io);
  },
};
