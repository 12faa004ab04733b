import type { Sink } from '@spanprism/core';
import { disabledSink, otlpTraceSink, pickGiven, readResource, readSampler, sinkDiag } from '@spanprism/core/otlp';
import type { Environment, OtlpTraceSinkOptions, ResourceOptions, SamplerOptions } from '@spanprism/core/otlp';
import { readLangfuseConfig, type LangfuseConfigOptions } from './langfuse-config.ts';
import { langfuseDialect, type LangfuseDialectOptions } from './langfuse-dialect.ts';

export interface LangfuseSinkOptions
  extends LangfuseConfigOptions,
    ResourceOptions,
    Pick<LangfuseDialectOptions, 'toolParent'>,
    Pick<OtlpTraceSinkOptions, 'capture' | 'spool' | 'diag' | 'compression' | 'timeoutMs'> {
  /** Unique among the sinks of a program; `langfuse` unless given. */
  readonly name?: string;
  /** Whole traces are kept or not; `LANGFUSE_SAMPLE_RATE`, else the standard variables, unless given. */
  readonly sampler?: SamplerOptions;
  /** Environment variables; `process.env` unless given. */
  readonly env?: Environment;
}

/**
 * Sends spans to Langfuse over its OTLP endpoint. Reads `LANGFUSE_*` where the options say nothing. Throws a `ConfigurationError`
 * on a value it cannot work with.
 */
export function langfuseSink(options: LangfuseSinkOptions = {}): Sink {
  const { name = 'langfuse', env = process.env, toolParent = 'agent' } = options;
  const { diag, useDiag } = sinkDiag(options.diag, env);
  const config = readLangfuseConfig(options, env);
  if (config === undefined) return disabledSink(name);
  const sink = otlpTraceSink({
    ...pickGiven(options, ['capture', 'spool', 'compression', 'timeoutMs']),
    ...config,
    name,
    diag,
    dialect: langfuseDialect({ toolParent, isAlone: true }),
    resource: readResource({ ...options, resource: { ...config.resource, ...options.resource } }, env),
    sampler: readSampler(options.sampler, env, 'LANGFUSE_SAMPLE_RATE'),
    scope: { name: '@spanprism/claude-langfuse' },
  });
  return { ...sink, useDiag };
}
