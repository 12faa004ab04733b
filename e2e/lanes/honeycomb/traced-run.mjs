import * as sdk from '@anthropic-ai/claude-agent-sdk';
import { HoneycombSDK } from '@honeycombio/opentelemetry-node';
import { trace } from '@opentelemetry/api';
import { otlpSink } from '@spanprism/claude-otlp';
import { otelSink } from '@spanprism/claude-otlp/otel';
import * as core from '@spanprism/core';
import { z } from 'zod';
import { agentRun } from '../agent-run.cjs';
import { honeycombHost } from './honeycomb-host.cjs';

const host = honeycombHost({ HoneycombSDK, trace, otelSink });
await agentRun({ sdk, z, core, otlpSink, host });
await host.shutdown();
