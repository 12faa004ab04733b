import * as sdk from '@anthropic-ai/claude-agent-sdk/core';
import { ask } from './ask.cjs';

await ask(sdk.query);
