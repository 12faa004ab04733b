export { logfireDialect, type LogfireDialectOptions } from './logfire-dialect.ts';
export type { LogfireConfigOptions } from './logfire-config.ts';
export { logfireSink, type LogfireSinkOptions } from './logfire-sink.ts';
