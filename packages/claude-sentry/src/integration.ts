import * as Sentry from '@sentry/node';
import { createTracing, type QueryFunction, type Tracing } from '@spanprism/core';
import { onSdkImport } from '@spanprism/register/hook';
import type { SentryClient } from './delivery-watch.ts';
import { checkOptions, type SentryOptions } from './options.ts';
import { sentrySink } from './sentry-sink.ts';

type Integration = Parameters<typeof Sentry.addIntegration>[0];

export interface ClaudeAgentSdkOptions extends SentryOptions {
  /** The name of the main agent. Default `claude`. */
  readonly agentName?: string;
}

/** Traces every copy of the SDK that is loaded after `Sentry.init`: `node --import ./instrument.mjs app.mjs`. A wrong option throws a `ConfigurationError`. */
export function claudeAgentSdkIntegration(options: ClaudeAgentSdkOptions = {}): Integration {
  checkOptions(options, 'claudeAgentSdkIntegration', 'agentName');
  return {
    name: 'ClaudeAgentSdk',
    setup: (client) => {
      let tracing: Tracing | undefined;
      // Nothing is started in a program that never loads the SDK.
      const undo = onSdkImport((sdk) => (tracing ??= begin(options, client as SentryClient)).wrapSdk(sdk));
      client.on('close', undo);
    },
  };
}

/** `query` of the SDK, traced, for programs whose imports cannot be watched; after `Sentry.init`. A wrong option throws a `ConfigurationError`. */
export function instrumentClaudeQuery<Q extends QueryFunction>(query: Q, options: ClaudeAgentSdkOptions = {}): Q {
  checkOptions(options, 'instrumentClaudeQuery', 'agentName');
  return begin(options, Sentry.getClient()).wrapQuery(query);
}

/** Begins to trace; `Sentry.flush()` and `Sentry.close()` wait for what is still to be told. */
function begin({ agentName = 'claude', ...sink }: ClaudeAgentSdkOptions, client: SentryClient | undefined): Tracing {
  const diag = sink.diag && { diag: sink.diag };
  // Nobody can await `ready()` here.
  const tracing = createTracing({ sinks: [sentrySink(sink)], agentName, readyWithinMs: 1_000, ...diag });
  const flush = client?.flush.bind(client);
  if (client === undefined || flush === undefined) return tracing;
  let isFlushing = false;
  client.flush = async (timeout) => {
    // The sink flushes its client in turn.
    if (isFlushing) return flush(timeout);
    isFlushing = true;
    const began = performance.now();
    await tracing.flush(timeout).catch(() => undefined);
    isFlushing = false;
    return flush(timeout && Math.max(1, timeout - (performance.now() - began)));
  };
  client.on('close', () => void tracing.close());
  return tracing;
}
