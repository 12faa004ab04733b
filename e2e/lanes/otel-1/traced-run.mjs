import * as sdk from '@anthropic-ai/claude-agent-sdk';
import { context } from '@opentelemetry/api';
import { AsyncLocalStorageContextManager as ContextManager } from '@opentelemetry/context-async-hooks';
import { BasicTracerProvider, InMemorySpanExporter, SimpleSpanProcessor } from '@opentelemetry/sdk-trace-base';
import { otlpSink } from '@spanprism/claude-otlp';
import { otelSink } from '@spanprism/claude-otlp/otel';
import * as core from '@spanprism/core';
import { z } from 'zod';
import { agentRun } from '../agent-run.cjs';
import { otelHost } from '../otel-host.cjs';

const exporter = new InMemorySpanExporter();
const tracerProvider = new BasicTracerProvider({ spanProcessors: [new SimpleSpanProcessor(exporter)] });
const host = otelHost({ context, ContextManager, exporter, tracerProvider, otelSink });
await agentRun({ sdk, z, core, otlpSink, host });
