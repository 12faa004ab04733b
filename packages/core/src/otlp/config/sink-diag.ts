import type { Diag } from '../../model/sink.ts';
import type { Environment } from './environment.ts';
import { stderrDiag } from './stderr-diag.ts';

export interface SinkDiag {
  readonly diag: Diag;
  readonly useDiag: (diag: Diag) => void;
}

/** Diagnostics of a sink: the user's own, else what `createTracing` hands it, else stderr. */
export function sinkDiag(own: Diag | undefined, environment: Environment = process.env): SinkDiag {
  let out = own ?? stderrDiag(environment);
  return {
    diag: (level, message) => out(level, message),
    useDiag: (diag) => {
      if (own === undefined) out = diag;
    },
  };
}
