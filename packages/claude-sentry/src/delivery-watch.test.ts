import * as Sentry from '@sentry/node';
import { createTracing } from '@spanprism/core';
import { type SentryEndpoint, startSentryEndpoint } from '@spanprism/testkit';
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest';
import { sentrySink } from './sentry-sink.ts';

let endpoint: SentryEndpoint;
beforeAll(async () => {
  endpoint = await startSentryEndpoint();
});
afterAll(() => endpoint.close());
afterEach(() => Sentry.close(1000));

describe.each(['static', 'stream'] as const)('with %s spans', (traceLifecycle) => {
  test.each([{ status: 401 }, { status: 404 }, { status: 413 }, 'refuse', 'hang'] as const)(
    '%j is one line, until after close()',
    async (answer) => {
      Sentry.init({ dsn: endpoint.dsn, tracesSampleRate: 1, traceLifecycle } as Sentry.NodeOptions);
      endpoint.answer(answer);
      const lines: string[] = [];
      const diag = (level: string, message: string): void => void lines.push(`${level} ${message}`);
      const tracing = createTracing({ sinks: [sentrySink()], cliTelemetry: 'off', diag });
      tracing.span('step', () => undefined);
      await tracing.close(answer === 'hang' ? 300 : 5000);
      const line = answer === 'hang' ? /^warn not everything was delivered/ : /^warn sentry: 1 spans were not taken/;
      expect(lines).toEqual([expect.stringMatching(line)]);
    },
  );
});
