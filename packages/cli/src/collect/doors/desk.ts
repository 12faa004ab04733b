import type { OtlpEncoding, OtlpSignal } from '@spanprism/core/otlp';
import type { ExportResponse } from '@spanprism/core/receive';

export type Transport = 'http' | 'grpc';

/** A body that somebody has sent, unpacked. */
export interface Arrival {
  readonly signal: OtlpSignal;
  readonly encoding: OtlpEncoding;
  readonly body: Uint8Array;
  readonly transport: Transport;
}

export interface DeskState {
  /** Why nothing is taken now; undefined while requests are. */
  readonly notReady: string | undefined;
  /** What keeps requests from being taken until somebody sees to it; undefined while all is well. */
  readonly trouble: string | undefined;
}

/** Takes what comes in by the doors. */
export interface Desk {
  /** Resolves to the answer once the request survives the end of this process; rejects with `Rejected` when it has had no effect. */
  take(arrival: Arrival): Promise<ExportResponse>;
  state(): Promise<DeskState>;
  /** In the Prometheus text format. */
  metricsText(): Promise<string>;
}
