const sdk = require('@anthropic-ai/claude-agent-sdk');
const Sentry = require('@sentry/node');
const { sentrySink } = require('@spanprism/claude-sentry');
const { createTracing } = require('@spanprism/core');
const { z } = require('zod');
const { sentryRun } = require('../sentry-run.cjs');

void sentryRun({ Sentry, sdk, z, createTracing, sentrySink });
