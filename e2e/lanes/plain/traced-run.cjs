const sdk = require('@anthropic-ai/claude-agent-sdk');
const { otlpSink } = require('@spanprism/claude-otlp');
const core = require('@spanprism/core');
const { z } = require('zod');
const { agentRun } = require('../agent-run.cjs');

void agentRun({ sdk, z, core, otlpSink });
