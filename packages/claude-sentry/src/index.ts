export type { FailureKind, SentryOptions } from './options.ts';
export { sentryDialect, type SentryDialectOptions } from './sentry-dialect.ts';
export { sentrySink, type SentrySinkOptions } from './sentry-sink.ts';
export {
  claudeAgentSdkIntegration,
  type ClaudeAgentSdkOptions,
  instrumentClaudeQuery,
  type SentryIntegration,
} from './integration.ts';
