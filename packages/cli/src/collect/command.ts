import type { Command } from '../command.ts';
import { collectOptions } from './options.ts';

export const command: Command = {
  name: 'collect',
  summary: 'Receive OTLP from many runs and machines, and trace what is of Claude Code',
  usage: ['spanprism collect [options]'],
  options: collectOptions,
  notes: [
    'Every claude that exports its telemetry here is traced: CLAUDE_CODE_ENABLE_TELEMETRY=1 CLAUDE_CODE_ENHANCED_TELEMETRY_BETA=1 OTEL_TRACES_EXPORTER=otlp OTEL_LOGS_EXPORTER=otlp OTEL_METRICS_EXPORTER=otlp OTEL_EXPORTER_OTLP_PROTOCOL=http/protobuf OTEL_EXPORTER_OTLP_ENDPOINT=http://127.0.0.1:4318.',
    'All metrics, and whatever is not of Claude Code, go on unchanged to --otlp-endpoint or the endpoints of OpenTelemetry’s variables.',
    'GET /healthz, /readyz and /metrics tell of it, on the port of OTLP/HTTP.',
  ],
  // Its help needs none of it.
  run: async (input, io) => (await import('./run-collect.ts')).runCollect(input, io),
};
