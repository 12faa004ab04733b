import { disabledSink, otlpTraceSink, readResource, sinkDiag } from '@spanprism/core/otlp';
import type { Environment, OtlpEndpoint, SpoolOptions } from '@spanprism/core/otlp';
import type { CaptureOptions, Diag, Sink } from '@spanprism/core';
import { readLogfireConfig } from './logfire-config.ts';
import type { LogfireConfigOptions } from './logfire-config.ts';
import { logfireDialect } from './logfire-dialect.ts';
import type { LogfireDialectOptions } from './logfire-dialect.ts';

export interface LogfireSinkOptions extends LogfireConfigOptions, LogfireDialectOptions {
  /** Unique among the sinks of a program; `logfire` unless given. */
  readonly name?: string;
  /** Which content may leave for Logfire; the policy of `createTracing` unless given. */
  readonly capture?: CaptureOptions;
  /** Keeps on disk what could not be delivered. */
  readonly spool?: SpoolOptions;
  /** `gzip` unless given. */
  readonly compression?: OtlpEndpoint['compression'];
  /** For one request, milliseconds; 10 s unless given. */
  readonly timeoutMs?: number;
  /** Where diagnostics go; stderr for warnings and errors unless given. */
  readonly diag?: Diag;
  /** `process.env` unless given. */
  readonly environment?: Environment;
}

const SCOPE = { name: '@spanprism/claude-logfire' };

/**
 * Sends spans to Pydantic Logfire: to the region that the token names, spelled as its live view and its LLM panels read them.
 * Reads `LOGFIRE_*` where the options say nothing. Throws a `ConfigurationError` on a value it cannot work with.
 */
export function logfireSink(options: LogfireSinkOptions = {}): Sink {
  const { name = 'logfire', environment = process.env, capture, spool, compression, timeoutMs } = options;
  const { diag, useDiag } = sinkDiag(options.diag, environment);
  const config = readLogfireConfig(options, environment, (level, message) => diag(level, `${name}: ${message}`));
  if (config === undefined) return disabledSink(name);
  const { token, url, keyFix, resource, serviceName, sampler } = config;
  const sink = otlpTraceSink({
    name,
    diag,
    dialect: logfireDialect(options),
    url,
    // The token alone, without a scheme before it.
    headers: { authorization: token },
    resource: readResource({ resource, ...(serviceName === undefined ? {} : { serviceName }) }, environment),
    sampler,
    scope: SCOPE,
    fixes: { 401: keyFix, 403: keyFix },
    ...(capture === undefined ? {} : { capture }),
    ...(spool === undefined ? {} : { spool }),
    ...(compression === undefined ? {} : { compression }),
    ...(timeoutMs === undefined ? {} : { timeoutMs }),
  });
  return { ...sink, useDiag };
}
