// messages-api
export type { Exchange, ResponseEnd, WireCall } from './messages-api/exchange.ts';
export { type MessagesApi, type MessagesApiOptions, startMessagesApi } from './messages-api/messages-api.ts';
export type { RequestPurpose } from './messages-api/purpose.ts';
export {
  type Answer,
  type AnswerOptions,
  answer,
  type ApiError,
  type ApiErrorOptions,
  apiError,
  type Block,
  type BlockDelta,
  cut,
  DEFAULT_USAGE,
  type Ending,
  type EndingPlace,
  hang,
  rawBlock,
  refusal,
  type Reply,
  streamError,
  text,
  thinking,
  toolUse,
  type UnfinishedOptions,
  type WireUsage,
} from './messages-api/reply.ts';
export type { MessagesRequest, ToolResult } from './messages-api/request.ts';
export { type Condition, type ReplyLike, type Rule, type TextMatch, when } from './messages-api/rule.ts';
// claude-process
export { type ClaudeBinary, claudeBinary } from './claude-process/claude-binary.ts';
export { type CleanEnvironmentOptions, cleanEnvironment } from './claude-process/environment.ts';
export { makeProject, type Project } from './claude-process/project.ts';
// collector
export {
  type BehaviourScope,
  type CollectedRequest,
  type Collector,
  type CollectorBehaviour,
  type CollectorOptions,
  startCollector,
} from './collector/collector.ts';
export type { PartialSuccess, Signal } from './collector/otlp-codec.ts';
export type {
  Attributes,
  AttributeValue,
  CollectedLog,
  CollectedMetric,
  CollectedSpan,
  MetricKind,
  MetricPoint,
  Origin,
} from './collector/telemetry-view.ts';
export { readMetrics, readSpans } from './collector/telemetry-view.ts';
// sentry-endpoint
export type { SentryEnvelope, SentryItem, SentrySpanRow } from './sentry-endpoint/envelope.ts';
export {
  type SentryAnswer,
  type SentryEndpoint,
  type SentryRequest,
  startSentryEndpoint,
} from './sentry-endpoint/sentry-endpoint.ts';
// mock-sdk
export { AbortError } from './mock-sdk/child.ts';
export type { ControlAnswers, ControlName } from './mock-sdk/control-answers.ts';
export type { ChildEnvironment } from './mock-sdk/exporter.ts';
export type { McpInstance, MockMcpServer, MockMcpServerOptions, MockTool } from './mock-sdk/mcp-server.ts';
export type { MockQuery, Prompt } from './mock-sdk/mock-query.ts';
export {
  type MockCall,
  type MockSdk,
  mockSdk,
  type MockSdkOptions,
  type MockSpareProcess,
  type MockWarmQuery,
} from './mock-sdk/mock-sdk.ts';
export { type Consumed, type HostOptions, hostOf } from './mock-sdk/recorded-host.ts';
export { recordedScenarios } from './mock-sdk/recorded-scenario.ts';
export { type HostAction, messages, type Scenario, type ScenarioStep } from './mock-sdk/scenario.ts';
// recordings
export {
  isMessagesCall,
  type RecordedEnd,
  type RecordedExchange,
  type RecordedStreamEvent,
  readWireUsage,
  summarizeWire,
  type WireSummary,
} from './recordings/recorded-wire.ts';
export {
  type DriverEvent,
  listRecordings,
  openRecording,
  type RecordedHook,
  type RecordedMessage,
  type RecordedTelemetry,
  type RecordedTranscript,
  type Recording,
  type RecordingMeta,
  recordingsAbsent,
  recordingsRoot,
  type TelemetryBatch,
} from './recordings/recording.ts';
