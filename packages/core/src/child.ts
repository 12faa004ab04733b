/**
 * What it takes to start a `claude` that reports to this process. An entry of its own, and a small one: nothing else has to be loaded
 * before the child can start.
 */
export {
  type ChildTelemetry,
  childEnvironment,
  type CliContent,
  type Environment,
  telemetryWish,
} from './sources/sdk/child-environment.ts';
export { formatTraceparent, parseTraceparent, randomIds, type TraceContext } from './model/ids.ts';
export type { OtlpSignal } from './otlp/records.ts';
