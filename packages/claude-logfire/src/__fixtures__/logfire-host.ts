import * as logfire from '@pydantic/logfire-node';
import type { Collector } from '@spanprism/testkit';
import { startFakeLogfire } from './fake-logfire.ts';

export const HOST_TOKEN = 'pylf_v1_eu_fedcba9876543210';

/** A program that Logfire's own SDK traces, with its defaults, into a fake of Logfire. There can be one per process. */
export class LogfireHost {
  readonly collector: Collector;

  private constructor(collector: Collector) {
    this.collector = collector;
  }

  static async start(): Promise<LogfireHost> {
    const collector = await startFakeLogfire(HOST_TOKEN);
    // Its queue takes 2,048 spans unless told, and loses what comes faster than that; nobody makes 10,000 at once but a test.
    Object.assign(process.env, { OTEL_BSP_MAX_QUEUE_SIZE: '32768', OTEL_BSP_MAX_EXPORT_BATCH_SIZE: '32768' });
    logfire.configure({
      token: HOST_TOKEN,
      serviceName: 'shop',
      environment: 'test',
      advanced: { baseUrl: collector.url },
    });
    return new LogfireHost(collector);
  }

  spans(): ReturnType<Collector['spans']> {
    return this.collector.spans();
  }

  async stop(): Promise<void> {
    await logfire.shutdown();
    await this.collector.close();
  }
}
