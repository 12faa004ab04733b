import { query } from '@anthropic-ai/claude-agent-sdk';
import * as Sentry from '@sentry/node';
import { ask } from './ask.cjs';

Sentry.init({ tracesSampleRate: 1 });
await Sentry.startSpan({ name: 'of the program', op: 'job' }, () => ask(query));
