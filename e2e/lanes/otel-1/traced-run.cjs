const sdk = require('@anthropic-ai/claude-agent-sdk');
const { context } = require('@opentelemetry/api');
const { AsyncLocalStorageContextManager: ContextManager } = require('@opentelemetry/context-async-hooks');
const { BasicTracerProvider, InMemorySpanExporter, SimpleSpanProcessor } = require('@opentelemetry/sdk-trace-base');
const { otlpSink } = require('@spanprism/claude-otlp');
const { otelSink } = require('@spanprism/claude-otlp/otel');
const core = require('@spanprism/core');
const { z } = require('zod');
const { agentRun } = require('../agent-run.cjs');
const { otelHost } = require('../otel-host.cjs');

const exporter = new InMemorySpanExporter();
const tracerProvider = new BasicTracerProvider({ spanProcessors: [new SimpleSpanProcessor(exporter)] });
const host = otelHost({ context, ContextManager, exporter, tracerProvider, otelSink });
void agentRun({ sdk, z, core, otlpSink, host });
