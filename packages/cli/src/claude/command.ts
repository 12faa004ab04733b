import type { Command } from '../command.ts';
import { claudeOptions } from './options.ts';
import { runClaude } from './run-claude.ts';

export const command: Command = {
  name: 'claude',
  summary: 'Run claude as it is, and trace it',
  usage: ['spanprism [options] claude [anything that claude takes]'],
  options: claudeOptions,
  takesRest: true,
  run: runClaude,
};
