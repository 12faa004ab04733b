import { Agent, request } from 'node:http';
import { encodeLogs, encodeTraces } from '../../otlp/encode/protobuf.ts';
import type { OtlpLog, OtlpSpan } from '../../otlp/records.ts';
import { groupOf } from './cli-records.ts';

/** A child that exports as the CLI does: to the endpoints in its environment, over one connection that it keeps. */
export class FakeChild {
  readonly #environment: Readonly<Record<string, string | undefined>>;
  #agent: Agent = new Agent({ keepAlive: true, maxSockets: 1 });

  constructor(options: unknown) {
    this.#environment = (options as { readonly env?: Record<string, string | undefined> } | undefined)?.env ?? {};
  }

  async spans(...records: readonly OtlpSpan[]): Promise<void> {
    await this.#post('TRACES', encodeTraces(groupOf(records)));
  }

  async logs(...records: readonly OtlpLog[]): Promise<void> {
    await this.#post('LOGS', encodeLogs(groupOf(records)));
  }

  /** Lets go of the connection, as the end of the process does and as some exporters do when they are idle. */
  disconnect(): void {
    this.#agent.destroy();
    this.#agent = new Agent({ keepAlive: true, maxSockets: 1 });
  }

  #post(signal: string, body: Uint8Array): Promise<void> {
    const url = this.#environment[`OTEL_EXPORTER_OTLP_${signal}_ENDPOINT`];
    if (url === undefined) return Promise.reject(new Error(`no endpoint for ${signal}`));
    return new Promise((resolve, reject) => {
      const headers = { 'content-type': 'application/x-protobuf', 'content-length': body.length };
      const post = request(url, { method: 'POST', agent: this.#agent, headers }, (response) => {
        response.resume();
        response.on('end', resolve);
      });
      post.on('error', reject);
      post.end(body);
    });
  }
}
