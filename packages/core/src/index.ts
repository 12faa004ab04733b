export { ConfigurationError } from './model/configuration-error.ts';
export type { ByTool, CaptureFields, CaptureOptions } from './model/capture-options.ts';
export type { IdSource, SpanId, SpanKey, TraceContext, TraceId } from './model/ids.ts';
export { formatTraceparent, isSpanId, isTraceId, parseTraceparent } from './model/ids.ts';
export type { ContentBlock, Json, Message, ToolDefinition } from './model/message.ts';
export type { CapturedSpan, ContentSizes, Diag, MetricPoint, Sink, SinkStats } from './model/sink.ts';
export type {
  AgentSpan,
  Attributes,
  AttributeValue,
  CustomSpan,
  Decider,
  HookSpan,
  Issue,
  IssueCode,
  LlmSpan,
  Outcome,
  PermissionSpan,
  SourceName,
  Span,
  SpanError,
  SpanEvent,
  SpanKind,
  SpanStatus,
  ToolSpan,
} from './model/span.ts';
export type { Clock, UnixNano } from './model/time.ts';
export { isoFromUnixNano, msBetween, msFromUnixNano, systemClock, unixNanoFromMs } from './model/time.ts';
export type { Totals, Usage } from './model/usage.ts';
export { consoleSink, type ConsoleSinkOptions, type LineStream } from './sinks/console-sink.ts';
export { memorySink, type MemorySink, type MemorySinkOptions } from './sinks/memory-sink.ts';
export { renderTree, type RenderTreeOptions } from './sinks/render-tree.ts';
export { type SinkDiag, sinkDiag } from './otlp/config/sink-diag.ts';
export { treeText, type TreeTextOptions } from './sinks/tree-text.ts';
export type { LoopbackFailure, LoopbackStats } from './loopback/start-loopback.ts';
export type { QueryFunction } from './sources/sdk/wrap-query.ts';
export { createTracing, type Tracing, type TracingStats } from './tracing.ts';
export type { TracingOptions, UserAttributes } from './tracing/options.ts';
export { applyCapture } from './capture/apply-capture.ts';
export { type CaptureContext, type CapturePolicy, resolveCapture } from './capture/policy.ts';
