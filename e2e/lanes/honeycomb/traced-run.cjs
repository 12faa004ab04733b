const sdk = require('@anthropic-ai/claude-agent-sdk');
const { HoneycombSDK } = require('@honeycombio/opentelemetry-node');
const { trace } = require('@opentelemetry/api');
const { otlpSink } = require('@spanprism/claude-otlp');
const { otelSink } = require('@spanprism/claude-otlp/otel');
const core = require('@spanprism/core');
const { z } = require('zod');
const { agentRun } = require('../agent-run.cjs');
const { honeycombHost } = require('./honeycomb-host.cjs');

const host = honeycombHost({ HoneycombSDK, trace, otelSink });
void agentRun({ sdk, z, core, otlpSink, host }).then(() => host.shutdown());
