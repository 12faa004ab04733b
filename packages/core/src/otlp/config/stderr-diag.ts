import type { Diag } from '../../model/sink.ts';
import { writeStderr } from '../../model/write-stderr.ts';
import type { Environment } from './environment.ts';

/** Warnings and errors on stderr; everything with `OTEL_DEBUG=1`. */
export function stderrDiag(environment: Environment): Diag {
  const isVerbose = environment['OTEL_DEBUG'] === '1' || environment['OTEL_DEBUG'] === 'true';
  return (level, message) => {
    if (!isVerbose && (level === 'debug' || level === 'info')) return;
    writeStderr(`spanprism ${level}: ${message}\n`);
  };
}
