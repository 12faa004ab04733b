import * as Sentry from '@sentry/node';
import { claudeAgentSdkIntegration } from '@spanprism/claude-sentry';

Sentry.init({ tracesSampleRate: 1, integrations: [claudeAgentSdkIntegration({ agentName: 'lookout' })] });
