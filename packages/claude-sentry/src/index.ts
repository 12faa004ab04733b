export { type ClaudeAgentSdkOptions, claudeAgentSdkIntegration, instrumentClaudeQuery } from './integration.ts';
export type { FailureKind, SentryOptions } from './options.ts';
export { sentryDialect, type SentryDialectOptions } from './sentry-dialect.ts';
export { sentrySink, type SentrySinkOptions } from './sentry-sink.ts';
