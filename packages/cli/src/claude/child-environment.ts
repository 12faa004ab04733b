import { childEnvironment, type Environment, type OtlpSignal, type TraceContext } from '@spanprism/core/child';
import { exportersOf, type OwnTelemetry, SIGNALS } from './own-telemetry.ts';

export interface ChildSetup {
  readonly env: Environment;
  /** What `claude` will see of telemetry variables without us: the environment, and what settings files put over it. */
  readonly exported: Environment;
  readonly own: OwnTelemetry;
  readonly endpoint: (signal: OtlpSignal) => string;
  /** Where the child's first turn is. */
  readonly context: TraceContext;
  /** Whether some sink may see content. */
  readonly wantsContent: boolean;
}

/** The environment of a `claude` that reports to us, and as before to whom its user has it report. */
export function environmentOf(setup: ChildSetup): Environment {
  const { env, exported, own, endpoint, context, wantsContent } = setup;
  const content = {
    prompts: wantsContent,
    outputs: wantsContent,
    toolDetails: wantsContent,
    toolOutputs: wantsContent,
  };
  const asked = childEnvironment(env, { endpoint, context, content, isInherited: false });
  const isOurs =
    Object.keys(own).length === 0 && !exportsElsewhere(exported) && !SIGNALS.some((one) => isTaken(setup, one));
  return isOurs ? asked : besides(setup, asked);
}

/** A settings file has the last word on where the signal goes: it will not come to us. */
function isTaken({ env, exported }: ChildSetup, signal: OtlpSignal): boolean {
  const name = `OTEL_EXPORTER_OTLP_${signal.toUpperCase()}_ENDPOINT`;
  return exported[name] !== env[name];
}

function exportsElsewhere(env: Environment): boolean {
  return SIGNALS.some((signal) => exportersOf(env, signal).some((exporter) => exporter !== 'otlp'));
}

/**
 * What he exports stays as he has it, but for the address: limits, intervals, temporality, sampling, headers and the encoding. No
 * content switch is set that he did not set, for what it adds would reach his backend; the session's transcript has the content.
 */
function besides(setup: ChildSetup, asked: Environment): Environment {
  const { env, exported, own, endpoint } = setup;
  const changed: Record<string, string | undefined> = {
    ...env,
    CLAUDE_CODE_ENABLE_TELEMETRY: '1',
    CLAUDE_CODE_ENHANCED_TELEMETRY_BETA: '1',
  };
  for (const signal of SIGNALS) {
    const name = signal.toUpperCase();
    const variables = [`OTEL_EXPORTER_OTLP_${name}_ENDPOINT`, `OTEL_EXPORTER_OTLP_${name}_PROTOCOL`];
    if (isTaken(setup, signal)) {
      // What he does not export is not to be exported to him.
      if (own[signal] === undefined)
        changed[`OTEL_${name}_EXPORTER`] = exportersOf(exported, signal).join(',') || 'none';
      continue;
    }
    changed[`OTEL_${name}_EXPORTER`] = [...new Set([...exportersOf(exported, signal), 'otlp'])].join(',');
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
