import type { Patience } from './connections.ts';

/** Texts in PEM. */
export interface TlsFiles {
  readonly cert: string;
  readonly key: string;
}

export interface DoorSettings {
  readonly host: string;
  readonly isLoopback: boolean;
  readonly port: number;
  /** Undefined: no gRPC. */
  readonly grpcPort: number | undefined;
  readonly token: string | undefined;
  readonly tls: TlsFiles | undefined;
  readonly maxRequestBytes: number;
  readonly patience: Patience;
}
