import type { Sink } from '@spanprism/core';
import { disabledSink, otlpTraceSink, readResource, readSampler, sinkDiag } from '@spanprism/core/otlp';
import type { Environment, OtlpTraceSinkOptions, ResourceOptions } from '@spanprism/core/otlp';
import { readLangfuseConfig } from './langfuse-config.ts';
import type { LangfuseConfigOptions } from './langfuse-config.ts';
import { langfuseDialect } from './langfuse-dialect.ts';
import type { LangfuseDialectOptions } from './langfuse-dialect.ts';

type Passed = Pick<OtlpTraceSinkOptions, 'capture' | 'spool' | 'compression' | 'timeoutMs'>;

export interface LangfuseSinkOptions
  extends LangfuseConfigOptions,
    ResourceOptions,
    Pick<LangfuseDialectOptions, 'toolParent'>,
    Pick<OtlpTraceSinkOptions, 'diag'>,
    Passed {
  /** Unique among the sinks of a program; `langfuse` unless given. */
  readonly name?: string;
  /** Environment variables; `process.env` unless given. */
  readonly env?: Environment;
}

/**
 * Sends spans to Langfuse over its OTLP endpoint. Reads `LANGFUSE_*` where the options say nothing. Throws a `ConfigurationError`
 * on a value it cannot work with.
 */
export function langfuseSink(options: LangfuseSinkOptions = {}): Sink {
  const {
    name = 'langfuse',
    env = process.env,
    toolParent = 'agent',
    capture,
    spool,
    compression,
    timeoutMs,
  } = options;
  const { diag, useDiag } = sinkDiag(options.diag, env);
  const config = readLangfuseConfig(options, env);
  if (config === undefined) return disabledSink(name);
  const passed = Object.entries({ capture, spool, compression, timeoutMs }).filter(([, value]) => value !== undefined);
  const sink = otlpTraceSink({
    ...(Object.fromEntries(passed) as Passed),
    ...config,
    name,
    diag,
    dialect: langfuseDialect({ toolParent, claudeSession: true }),
    resource: readResource({ ...options, resource: { ...config.resource, ...options.resource } }, env),
    sampler: readSampler(config.sampler, env),
    scope: { name: '@spanprism/claude-langfuse' },
  });
  return { ...sink, useDiag };
}
