import type { Command } from '../command.ts';
import { claudeOptions } from './options.ts';
import { runClaude } from './run-claude.ts';

export const command: Command = {
  name: 'claude',
  summary: 'Run claude as it is, and trace it',
  usage: ['spanprism [options] claude [anything that claude takes]'],
  options: claudeOptions,
  notes: [
    'Traces go to the backends that the environment names (OTEL_EXPORTER_OTLP_ENDPOINT, LANGFUSE_PUBLIC_KEY, LOGFIRE_TOKEN, SENTRY_DSN and others), several at once; where it names none, to the local store.',
    'Arguments, output, signals and the exit code are those of claude. If tracing breaks, claude runs as if we were not there.',
  ],
  takesRest: true,
  run: runClaude,
};
