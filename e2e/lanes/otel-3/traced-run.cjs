const sdk = require('@anthropic-ai/claude-agent-sdk');
const { context } = require('@opentelemetry/api');
const { AsyncLocalStorageContextManager: ContextManager } = require('@opentelemetry/context-async-hooks');
const { InMemorySpanExporter, SimpleSpanProcessor, TracerProvider: Provider } = require('@opentelemetry/sdk-trace');
const { otlpSink } = require('@spanprism/claude-otlp');
const { otelSink } = require('@spanprism/claude-otlp/otel');
const core = require('@spanprism/core');
const { z } = require('zod');
const { agentRun } = require('../agent-run.cjs');
const { otelHost } = require('../otel-host.cjs');

const host = otelHost({ context, ContextManager, Provider, InMemorySpanExporter, SimpleSpanProcessor, otelSink });
void agentRun({ sdk, z, core, otlpSink, host });
