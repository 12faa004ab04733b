import type { Loopback } from '../loopback/start-loopback.ts';
import type { Wire } from '../loopback/wire/start-wire.ts';
import type { IdSource } from '../model/ids.ts';
import type { Clock } from '../model/time.ts';
import type { CliContent, Environment } from '../sources/sdk/child-environment.ts';
import type { Guard } from '../sources/sdk/query-watch.ts';
import type { FanOut } from './fan-out.ts';
import type { QueryTrace } from './query-trace.ts';
import type { Surroundings } from './steps.ts';

/** What all queries of one `createTracing` share. */
export interface QueryContext {
  readonly fanOut: FanOut;
  readonly loopback: Loopback | undefined;
  readonly wire: Wire | undefined;
  readonly cliTelemetry: 'auto' | 'on' | 'off';
  readonly cliContent: CliContent;
  readonly useHooks: boolean;
  readonly agentName: string;
  readonly environment: () => Environment;
  readonly clock: Clock;
  readonly ids: IdSource;
  readonly guard: Guard;
  /** What surrounds the code that runs now. */
  readonly surroundings: () => Surroundings;
  /** Told when the receiver of the CLI's telemetry was not listening in time. */
  readonly onNotReady: () => void;
  /** Told why the requests of a child are not captured. */
  readonly onWireLeftAlone: (reason: string) => void;
  /** True while a CLI that was asked for its telemetry is known to send none. */
  readonly isCliSilent: () => boolean;
  /** Told of a message that came when all was over. */
  readonly onLate: () => void;
  /** Told once, when every span of the query has ended. */
  readonly onSettled: (query: QueryTrace) => void;
}
