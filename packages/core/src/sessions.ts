import { randomIds } from './model/ids.ts';
import { systemClock } from './model/time.ts';
import { DEADLINE_MS, Delivery, type DeliveryStats } from './tracing/delivery.ts';
import { checkOptions, type TracingOptions } from './tracing/options.ts';
import { type Session, type SessionDefaults, type SessionOptions, SessionTrace } from './tracing/session-trace.ts';

export { childReceiver, type ChildReceiverParts, decodeBatch, type Unread } from './sessions-receiver.ts';
export { plainAttributes, type UserAttributes } from './tracing/options.ts';
export { decodeTelemetry } from './sources/cli-telemetry/telemetry.ts';
export type { Observation } from './model/observation.ts';
export type { OtlpRequest } from './otlp/records.ts';
export type { DeliveryStats } from './tracing/delivery.ts';
export type { Session, SessionEnd, SessionOptions } from './tracing/session-trace.ts';

export type SessionsOptions = Omit<TracingOptions, 'cliTelemetry' | 'hooks' | 'readyWithinMs'>;

/** Traces of Claude Code sessions that no SDK of this process runs: of a child's telemetry, of transcripts, of other machines. */
export interface Sessions extends AsyncDisposable {
  open(session: SessionOptions): Session;
  /** Waits for sinks; rejects when something was not delivered in time. */
  flush(deadlineMs?: number): Promise<void>;
  /** Ends sessions that are open, flushes, and lets go of sinks. Never rejects: what was not delivered is told to diagnostics and counted. */
  close(deadlineMs?: number): Promise<void>;
  stats(): SessionsStats;
}

export interface SessionsStats extends Omit<DeliveryStats, 'queries'> {
  readonly sessions: DeliveryStats['queries'];
}

/**
 * Starts tracing of sessions. Throws a `ConfigurationError` when an option is wrong; after that nothing of it throws.
 *
 * @example
 * const sessions = createSessions({ sinks: [consoleSink()] });
 * const session = sessions.open({ sources: ['cli'] });
 */
export function createSessions(options: SessionsOptions): Sessions {
  return new LiveSessions(checkOptions(options, 'createSessions'));
}

class LiveSessions implements Sessions {
  readonly #delivery: Delivery;
  readonly #defaults: SessionDefaults;
  #closing: Promise<void> | undefined;

  constructor(options: SessionsOptions) {
    const { agentName = 'claude', attributes = {} } = options;
    this.#delivery = new Delivery(options, { environment: process.env, outlivesSignals: true });
    this.#defaults = { agentName, attributes, ids: randomIds(), clock: systemClock() };
  }

  open(options: SessionOptions): Session {
    const session = new SessionTrace(options, this.#defaults, this.#delivery);
    this.#delivery.opened(session);
    return session;
  }

  async flush(deadlineMs: number = DEADLINE_MS): Promise<void> {
    await this.#delivery.flush(deadlineMs);
  }

  async close(deadlineMs: number = DEADLINE_MS): Promise<void> {
    this.#closing ??= this.#delivery.close(deadlineMs);
    return this.#closing;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.close();
  }

  stats(): SessionsStats {
    const { queries, ...stats } = this.#delivery.stats();
    return { ...stats, sessions: queries };
  }
}
