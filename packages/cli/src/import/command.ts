import type { Command } from '../command.ts';
import { sinkOptions } from '../sinks/options.ts';

export const command: Command = {
  name: 'import',
  summary: 'Read past sessions from Claude Code’s own files',
  usage: [
    'spanprism import [options] [file or folder ...]',
    'spanprism import --since 7d',
    'spanprism import --dry-run --json ~/.claude/projects',
  ],
  options: {
    since: { type: 'string', value: 'when', description: 'Only turns that began since: 2h, 7d, 2026-11-21' },
    running: {
      type: 'boolean',
      description: 'Read sessions that may still be running, too: their turns that are over',
    },
    'dry-run': { type: 'boolean', description: 'Say what would be added to the local store; change nothing' },
    json: { type: 'boolean', description: 'The report as JSON' },
    ...sinkOptions,
  },
  notes: [
    'Without a path it reads ~/.claude/projects, or projects in CLAUDE_CONFIG_DIR. What was imported or traced before is not added again.',
    'Exit code 1: a file could not be read, or not everything was delivered.',
  ],
  // Its help needs none of it.
  run: async (input, io) => (await import('./run-import.ts')).runImport(input, io),
};
