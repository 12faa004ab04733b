import { Agent, request } from 'node:http';
import type { Signal } from '../collector/otlp-codec.ts';
import type { JsonObject } from '../json.ts';
import { RequestEncoder } from './encode-request.ts';
import { type GivenParent, movedTimes, reparented, type TimeMove } from './moved-times.ts';

/** A child's environment, as the SDK was given it. */
export type ChildEnvironment = Readonly<Record<string, string | undefined>>;

interface Target {
  readonly url: URL;
  readonly isJson: boolean;
}

const ON: ReadonlySet<string> = new Set(['1', 'true', 'yes', 'on']);
const TRACEPARENT = /^00-([0-9a-f]{32})-([0-9a-f]{16})-[0-9a-f]{2}$/;

/**
 * Sends recorded telemetry as the CLI would send its own: to the endpoints in its environment, in the protocol that is asked for
 * there, one request after the other on one connection that lives as long as the child. Like the CLI it tells nobody of failures.
 */
export class Exporter {
  readonly #environment: ChildEnvironment;
  readonly #agent: Agent = new Agent({ keepAlive: true, maxSockets: 1 });
  readonly #encoder: RequestEncoder = new RequestEncoder();
  readonly #spanIds: ReadonlySet<string>;
  readonly #parent: GivenParent | undefined;

  /** `spanIds`: of all spans that will be sent, so that roots are known. */
  constructor(environment: ChildEnvironment, spanIds: ReadonlySet<string>) {
    this.#environment = environment;
    this.#spanIds = spanIds;
    const [, traceId, spanId] = TRACEPARENT.exec(environment['TRACEPARENT'] ?? '') ?? [];
    this.#parent = traceId === undefined || spanId === undefined ? undefined : { traceId, spanId };
  }

  /** Resolves when the endpoint has answered, or cannot be reached; at once when this signal is not asked for. */
  async send(signal: Signal, payload: JsonObject, move: TimeMove): Promise<void> {
    const target = targetOf(signal, this.#environment);
    if (target === undefined) return;
    const inTime = movedTimes(payload, move);
    const body = (this.#parent === undefined ? inTime : reparented(inTime, this.#parent, this.#spanIds)) as JsonObject;
    await this.#post(target, target.isJson ? Buffer.from(JSON.stringify(body)) : this.#encoder.encode(signal, body));
  }

  /** Closes the connection, as the end of the process does. */
  close(): void {
    this.#agent.destroy();
  }

  #post({ url, isJson }: Target, body: Buffer): Promise<void> {
    return new Promise((resolve) => {
      const headers = {
        'content-type': isJson ? 'application/json' : 'application/x-protobuf',
        'content-length': body.length,
      };
      const post = request(url, { method: 'POST', agent: this.#agent, headers }, (response) => {
        response.resume();
        response.on('close', () => resolve());
      });
      post.on('error', () => resolve());
      post.end(body);
    });
  }
}

function targetOf(signal: Signal, environment: ChildEnvironment): Target | undefined {
  const name = signal.toUpperCase();
  const read = (variable: string): string | undefined => environment[variable]?.trim() || undefined;
  if (!ON.has(read('CLAUDE_CODE_ENABLE_TELEMETRY')?.toLowerCase() ?? '')) return undefined;
  if (signal === 'traces' && !ON.has(read('CLAUDE_CODE_ENHANCED_TELEMETRY_BETA')?.toLowerCase() ?? ''))
    return undefined;
  if (!(read(`OTEL_${name}_EXPORTER`) ?? '').split(',').includes('otlp')) return undefined;
  const base = read('OTEL_EXPORTER_OTLP_ENDPOINT');
  const url = read(`OTEL_EXPORTER_OTLP_${name}_ENDPOINT`) ?? (base && `${base.replace(/\/$/, '')}/v1/${signal}`);
  if (url === undefined || !URL.canParse(url)) return undefined;
  const protocol = read(`OTEL_EXPORTER_OTLP_${name}_PROTOCOL`) ?? read('OTEL_EXPORTER_OTLP_PROTOCOL');
  return { url: new URL(url), isJson: protocol === 'http/json' };
}
