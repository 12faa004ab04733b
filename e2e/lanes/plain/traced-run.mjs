import * as sdk from '@anthropic-ai/claude-agent-sdk';
import { otlpSink } from '@spanprism/claude-otlp';
import * as core from '@spanprism/core';
import { z } from 'zod';
import { agentRun } from '../agent-run.cjs';

await agentRun({ sdk, z, core, otlpSink });
