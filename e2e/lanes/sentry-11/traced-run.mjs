import * as sdk from '@anthropic-ai/claude-agent-sdk';
import * as Sentry from '@sentry/node';
import { sentrySink } from '@spanprism/claude-sentry';
import { createTracing } from '@spanprism/core';
import { z } from 'zod';
import { sentryRun } from '../sentry-run.cjs';

await sentryRun({ Sentry, sdk, z, createTracing, sentrySink });
