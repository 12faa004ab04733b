import type { OptionTable } from '../command.ts';

/** Options of every command that sends traces somewhere. */
export const sinkOptions: OptionTable = {
  'otlp-endpoint': { type: 'string', value: 'url', description: 'Send traces to this OTLP/HTTP endpoint' },
  'logfire-token': { type: 'string', value: 'token', description: 'Send traces to Logfire' },
  store: { type: 'boolean', description: 'Keep traces in the local store too, where a backend is configured' },
  'trace-console': { type: 'boolean', description: 'Show a live view of the trace on stderr' },
  capture: {
    type: 'string',
    value: 'what',
    description:
      'Which content sinks get: metadata, full, or fields such as prompts,outputs,toolInputs (default: full for the local store, metadata for what leaves this machine)',
  },
};
