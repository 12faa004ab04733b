export { langfuseCallback, type LangfuseCallbackOptions } from './langfuse-callback.ts';
export type { LangfuseClient } from './client-batches.ts';
export { langfuseClientSink, type LangfuseClientSinkOptions } from './langfuse-client-sink.ts';
export { langfuseDialect, type LangfuseDialectOptions } from './langfuse-dialect.ts';
export { langfuseSink, type LangfuseSinkOptions } from './langfuse-sink.ts';
export { langfuseAttributes, type LangfuseTraceOptions } from './trace-fields.ts';
