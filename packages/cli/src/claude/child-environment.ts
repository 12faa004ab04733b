import { childEnvironment, type Environment, type OtlpSignal, type TraceContext } from '@spanprism/core/child';
import { exportersOf, type OwnTelemetry, SIGNALS } from './own-telemetry.ts';

export interface ChildSetup {
  readonly env: Environment;
  readonly own: OwnTelemetry;
  readonly endpoint: (signal: OtlpSignal) => string;
  /** Where the child's first turn is. */
  readonly context: TraceContext;
  /** Whether some sink may see content. */
  readonly wantsContent: boolean;
}

/** The environment of a `claude` that reports to us, and as before to whom its user has it report. */
export function environmentOf(setup: ChildSetup): Environment {
  const { env, own, endpoint, context, wantsContent } = setup;
  const content = {
    prompts: wantsContent,
    outputs: wantsContent,
    toolDetails: wantsContent,
    toolOutputs: wantsContent,
  };
  const asked = childEnvironment(env, { endpoint, context, content, isInherited: false });
  return Object.keys(own).length === 0 && !exportsElsewhere(env) ? asked : besides(setup, asked);
}

function exportsElsewhere(env: Environment): boolean {
  return SIGNALS.some((signal) => exportersOf(env, signal).some((exporter) => exporter !== 'otlp'));
}

/**
 * What he exports stays as he has it, but for the address: limits, intervals, temporality, sampling, headers and the encoding. No
 * content switch is set that he did not set, for what it adds would reach his backend; the session's transcript has the content.
 */
function besides({ env, own, endpoint }: ChildSetup, asked: Environment): Environment {
  const changed: Record<string, string | undefined> = {
    ...env,
    CLAUDE_CODE_ENABLE_TELEMETRY: '1',
    CLAUDE_CODE_ENHANCED_TELEMETRY_BETA: '1',
  };
  for (const signal of SIGNALS) {
    const name = signal.toUpperCase();
    const variables = [`OTEL_EXPORTER_OTLP_${name}_ENDPOINT`, `OTEL_EXPORTER_OTLP_${name}_PROTOCOL`];
    changed[`OTEL_${name}_EXPORTER`] = [...new Set([...exportersOf(env, signal), 'otlp'])].join(',');
    if (own[signal] === undefined) variables.push(`OTEL_EXPORTER_OTLP_${name}_COMPRESSION`, INTERVALS[signal]);
    for (const variable of variables) changed[variable] = asked[variable];
    // The same message in the same encoding, or, of gRPC, the same bytes without their frame.
    if (own[signal]?.protocol === 'http/json') changed[`OTEL_EXPORTER_OTLP_${name}_PROTOCOL`] = 'http/json';
    changed[`OTEL_EXPORTER_OTLP_${name}_ENDPOINT`] = endpoint(signal);
  }
  // His spans hang where they would have hung without us.
  if (own.traces === undefined) {
    const { TRACEPARENT, TRACESTATE, OTEL_TRACES_SAMPLER } = asked;
    Object.assign(changed, { TRACEPARENT, TRACESTATE, OTEL_TRACES_SAMPLER });
  }
  if (own.metrics === undefined) {
    const name = 'OTEL_EXPORTER_OTLP_METRICS_TEMPORALITY_PREFERENCE';
    changed[name] = asked[name];
  }
  return changed;
}

const INTERVALS: Readonly<Record<OtlpSignal, string>> = {
  traces: 'OTEL_TRACES_EXPORT_INTERVAL',
  logs: 'OTEL_LOGS_EXPORT_INTERVAL',
  metrics: 'OTEL_METRIC_EXPORT_INTERVAL',
};
