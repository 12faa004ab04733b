import * as Sentry from '@sentry/node';
import { createTracing, type QueryFunction, type Tracing } from '@spanprism/core';
import { onSdkImport } from '@spanprism/register/hook';
import type { SentryClient } from './delivery-watch.ts';
import { checkOptions, type SentryOptions } from './options.ts';
import { sentrySink } from './sentry-sink.ts';

export interface ClaudeAgentSdkOptions extends SentryOptions {
  /** The name of the main agent. Default `claude`. */
  readonly agentName?: string;
}

/** An integration as `Sentry.init` takes it. */
export type SentryIntegration = Parameters<typeof Sentry.addIntegration>[0];

/**
 * Traces every copy of the Claude Agent SDK that the program loads after `Sentry.init`, which therefore goes first:
 * `node --import ./instrument.mjs app.mjs`. Throws a `ConfigurationError` for a wrong option.
 *
 * @example
 * Sentry.init({ dsn, tracesSampleRate: 1, integrations: [claudeAgentSdkIntegration({ recordInputs: true })] });
 */
export function claudeAgentSdkIntegration(options: ClaudeAgentSdkOptions = {}): SentryIntegration {
  checkOptions(options, 'claudeAgentSdkIntegration', 'agentName');
  return {
    name: 'ClaudeAgentSdk',
    setup: (client) => {
      const tracing = tracingFor(client as SentryClient, options);
      // Nothing is started in a program that never loads the SDK.
      const undo = onSdkImport((sdk) => tracing().wrapSdk(sdk));
      client.on('close', undo);
    },
  };
}

/**
 * `query` of the Agent SDK, traced to Sentry; everything else about it stays the same. To be called after `Sentry.init`, for programs
 * whose loading of the SDK cannot be watched, such as bundled ones. Throws a `ConfigurationError` for a wrong option.
 *
 * @example
 * const query = instrumentClaudeQuery(sdk.query, { agentName: 'reviewer' });
 */
export function instrumentClaudeQuery<Q extends QueryFunction>(query: Q, options: ClaudeAgentSdkOptions = {}): Q {
  checkOptions(options, 'instrumentClaudeQuery', 'agentName');
  return tracingFor(Sentry.getClient(), options)().wrapQuery(query);
}

/** Makes the tracing when it is first asked for, and lets `Sentry.flush()` and `Sentry.close()` wait for what it still has to tell. */
function tracingFor(client: SentryClient | undefined, options: ClaudeAgentSdkOptions): () => Tracing {
  const { agentName = 'claude', ...sink } = options;
  let tracing: Tracing | undefined;
  const make = (): Tracing => {
    const given = options.diag === undefined ? {} : { diag: options.diag };
    const made = createTracing({ sinks: [sentrySink(sink)], agentName, ...given });
    if (client !== undefined) follow(client, made);
    return made;
  };
  return () => (tracing ??= make());
}

function follow(client: SentryClient, tracing: Tracing): void {
  const flush = client.flush.bind(client);
  let isFlushing = false;
  client.flush = async (timeout) => {
    // The sink flushes its client in turn.
    if (isFlushing) return flush(timeout);
    isFlushing = true;
    await tracing.flush(timeout).catch(() => undefined);
    isFlushing = false;
    return flush(timeout);
  };
  client.on('close', () => void tracing.close());
}
