// For `--import`, before the program.
import * as Sentry from '@sentry/node';

Sentry.init({ tracesSampleRate: 1 });
