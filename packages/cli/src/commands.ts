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
];
