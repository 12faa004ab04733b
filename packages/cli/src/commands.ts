import type { Command } from './command.ts';

export interface CommandEntry {
  readonly name: string;
  readonly summary: string;
  /** Commands are read when they are called for. */
  readonly load: () => Promise<{ readonly command: Command }>;
}

/** In the order of the help. */
export const COMMANDS: readonly CommandEntry[] = [
  {
    name: 'claude',
    summary: 'Run claude as it is, and trace it',
    load: () => import('./claude/command.ts'),
  },
  {
    name: 'collect',
    summary: 'Receive OTLP from many runs and machines, and trace what is of Claude Code',
    load: () => import('./collect/command.ts'),
  },
  {
    name: 'import',
    summary: 'Read past sessions from Claude Code’s own files',
    load: () => import('./import/command.ts'),
  },
  {
    name: 'runs',
    summary: 'List what ran: when, how it ended, tokens and cost',
    load: () => import('./reports/runs/command.ts'),
  },
  {
    name: 'show',
    summary: 'Show what happened in a run: its tree, what failed and why',
    load: () => import('./reports/show/command.ts'),
  },
  {
    name: 'failures',
    summary: 'Say what failed, how often, and where to look',
    load: () => import('./reports/failures/command.ts'),
  },
  {
    name: 'cost',
    summary: 'Add up what runs cost, by tool, model, project or what you like',
    load: () => import('./reports/cost/command.ts'),
  },
  {
    name: 'ci',
    summary: 'Sum up the runs of this job as Markdown, and fail it over a budget',
    load: () => import('./ci/command.ts'),
  },
  {
    name: 'doctor',
    summary: 'Send a canary to every sink, and say what is wrong with the set-up',
    load: () => import('./doctor/command.ts'),
  },
];
