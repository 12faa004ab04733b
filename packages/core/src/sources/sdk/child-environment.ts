import { formatTraceparent, type TraceContext } from '../../model/ids.ts';
import type { OtlpSignal } from '../../otlp/records.ts';

export type Environment = Readonly<Record<string, string | undefined>>;

/** Which content the CLI has to log because no other source shows it. */
export interface CliContent {
  readonly prompts: boolean;
  readonly outputs: boolean;
  readonly toolDetails: boolean;
  readonly toolOutputs: boolean;
}

export interface ChildTelemetry extends ChildPlace {
  readonly endpoint: (signal: OtlpSignal) => string | undefined;
  readonly content: CliContent;
}

export interface ChildPlace {
  readonly context: TraceContext;
  /** The user gave no `env`: the child gets what this process has, as far as the SDK would pass it on. */
  readonly isInherited: boolean;
}

const SIGNALS = ['traces', 'logs', 'metrics'] as const;

/** Milliseconds between exports: what a turn waits for at most before its figures are here. */
const EXPORT_INTERVAL = '500';

/** These limits were meant for the application's own spans and would cut the child's. */
const LIMITS = [
  'OTEL_ATTRIBUTE_COUNT_LIMIT',
  'OTEL_ATTRIBUTE_VALUE_LENGTH_LIMIT',
  'OTEL_SPAN_ATTRIBUTE_COUNT_LIMIT',
  'OTEL_SPAN_ATTRIBUTE_VALUE_LENGTH_LIMIT',
  'OTEL_SPAN_EVENT_COUNT_LIMIT',
  'OTEL_EVENT_ATTRIBUTE_COUNT_LIMIT',
  'OTEL_LOGRECORD_ATTRIBUTE_COUNT_LIMIT',
  'OTEL_LOGRECORD_ATTRIBUTE_VALUE_LENGTH_LIMIT',
] as const;

/**
 * Whether the SDK's options ask for these is for the SDK to say: without an `env` of the user's it takes away what the process itself
 * inherited, in any case of letters (sdk.mjs 0.3.329), and with ours it would not.
 */
const NOT_INHERITED: ReadonlySet<string> = new Set([
  'CLAUDE_CODE_QUESTION_EXTENDED',
  'CLAUDE_CODE_QUESTION_OPTIONAL_DESCRIPTIONS',
  'CLAUDE_CODE_AGENT_PROGRESS_SUMMARIES',
]);

/**
 * The child's environment: the user's, and what makes the CLI export to our loopback. Everything goes by signal-specific
 * variables, because the generic `OTEL_EXPORTER_OTLP_*` belong to the application. Variables:
 * https://code.claude.com/docs/en/monitoring-usage
 */
export function childEnvironment(user: Environment, telemetry: ChildTelemetry): Record<string, string | undefined> {
  const environment = passedOn(user, telemetry);
  for (const limit of LIMITS) delete environment[limit];
  for (const signal of SIGNALS) {
    const name = signal.toUpperCase();
    environment[`OTEL_${name}_EXPORTER`] = 'otlp';
    environment[`OTEL_EXPORTER_OTLP_${name}_ENDPOINT`] = telemetry.endpoint(signal);
    environment[`OTEL_EXPORTER_OTLP_${name}_PROTOCOL`] = 'http/protobuf';
    // On loopback compression costs the CLI time and buys nothing.
    environment[`OTEL_EXPORTER_OTLP_${name}_COMPRESSION`] = 'none';
  }
  Object.assign(environment, {
    CLAUDE_CODE_ENABLE_TELEMETRY: '1',
    CLAUDE_CODE_ENHANCED_TELEMETRY_BETA: '1',
    OTEL_TRACES_EXPORT_INTERVAL: EXPORT_INTERVAL,
    OTEL_LOGS_EXPORT_INTERVAL: EXPORT_INTERVAL,
    OTEL_METRIC_EXPORT_INTERVAL: EXPORT_INTERVAL,
    OTEL_TRACES_SAMPLER: 'always_on',
    OTEL_EXPORTER_OTLP_METRICS_TEMPORALITY_PREFERENCE: 'delta',
  });
  for (const [name, isNeeded] of contentSwitches(telemetry.content)) if (isNeeded) environment[name] ??= '1';
  return environment;
}

/** The user's own environment, as the SDK would pass it on to a child of this place. */
export function passedOn(user: Environment, { context, isInherited }: ChildPlace): Record<string, string | undefined> {
  const environment: Record<string, string | undefined> = { ...user };
  if (isInherited)
    for (const name of Object.keys(environment)) if (NOT_INHERITED.has(name.toUpperCase())) delete environment[name];
  // An unsampled parent would silence the CLI; sampling is decided per sink.
  environment['TRACEPARENT'] = formatTraceparent({ ...context, sampled: true });
  // Of the same trace or of none: one that is inherited belongs to another, and what is absent the SDK would fill in.
  environment['TRACESTATE'] = context.traceState;
  return environment;
}

function contentSwitches(content: CliContent): [string, boolean][] {
  return [
    ['OTEL_LOG_USER_PROMPTS', content.prompts],
    ['OTEL_LOG_ASSISTANT_RESPONSES', content.outputs],
    ['OTEL_LOG_TOOL_DETAILS', content.toolDetails],
    ['OTEL_LOG_TOOL_CONTENT', content.toolOutputs],
  ];
}

const OFF: readonly string[] = ['', '0', 'false', 'no', 'off'];

/** What the user's own environment says of the CLI's telemetry. */
export function telemetryWish(environment: Environment): 'unset' | 'off' | 'exported' {
  const master = environment['CLAUDE_CODE_ENABLE_TELEMETRY']?.trim().toLowerCase();
  if (master === undefined) return 'unset';
  if (OFF.includes(master)) return 'off';
  const isExported = SIGNALS.some((signal) => {
    const exporter = environment[`OTEL_${signal.toUpperCase()}_EXPORTER`]?.trim();
    return exporter !== undefined && exporter !== '' && exporter !== 'none';
  });
  return isExported ? 'exported' : 'unset';
}
