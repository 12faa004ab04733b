import type { OtlpRequest, OtlpSignal } from '@spanprism/core/otlp';
import { decodeOrReject, type ExportResponse, Rejected } from '@spanprism/core/receive';
import { decodeTelemetry } from '@spanprism/core/sessions';
import type { Counters } from './counters.ts';
import type { Arrival } from './doors/desk.ts';
import type { RefusalReason } from './doors/refusals.ts';
import { withoutGroups } from './foreign-body.ts';
import type { Forwarder } from './forwarder.ts';
import { partition, type Partition } from './partition.ts';
import type { SessionTable } from './session-table.ts';
import { FORWARDED } from './spool/frames.ts';
import { type RequestSpool, SpoolFull, type SpooledRequest, type StoredRequest } from './spool/request-spool.ts';
import { Untold } from './untold.ts';

export interface IntakeParts {
  readonly spool: RequestSpool;
  readonly table: SessionTable;
  readonly forwarder: Forwarder;
  readonly counters: Counters;
  /** Whether sinks are so far behind that no more may be taken for them. */
  readonly areSinksFull: () => boolean;
  /** Told of a request on disk of which its session or endpoint could not be told, and once when the disk takes no more. */
  readonly onFault: (error: unknown) => void;
  /** Milliseconds since 1970. */
  readonly now: () => number;
}

/** Takes requests, whatever they came by: on disk first, then they are answered, then to their sessions and on to their endpoints. */
export class Intake {
  readonly #parts: IntakeParts;
  readonly #untold: Untold = new Untold((found, parts) => this.#tell(found, parts));
  #notReady: string | undefined = 'starting';
  /** The last request that went on to an endpoint. */
  #lastForwarded = 0;
  #trouble: string | undefined;

  constructor(parts: IntakeParts) {
    this.#parts = parts;
  }

  get lastForwarded(): number {
    return this.#lastForwarded;
  }

  /** What keeps requests from being taken until somebody sees to it; undefined while all is well. */
  get trouble(): string | undefined {
    return this.#trouble;
  }

  /** Why nothing is taken now; undefined while requests are. */
  get notReady(): string | undefined {
    return this.#notReady;
  }

  start(): void {
    this.#notReady = undefined;
  }

  stop(): void {
    this.#notReady = 'shutting down';
  }

  /** Resolves to the answer once the request survives the end of this process; throws `Rejected` when it has had no effect. */
  async take({ signal, encoding, body, transport }: Arrival): Promise<ExportResponse> {
    const { counters, now } = this.#parts;
    if (this.#notReady !== undefined) throw new Rejected<RefusalReason>('not_ready');
    const request = decodeOrReject(() => decodeTelemetry(signal, encoding, body));
    const parts = partition(request);
    const owners = [...parts.sessions.keys()];
    const isForwarded = this.#isForwarded(signal, parts);
    if (isForwarded) owners.push(FORWARDED);
    this.#refuseIfFull(signal, owners);
    if (owners.length > 0) {
      const arrived = { signal, encoding, at: now(), owners, body };
      this.#untold.add({ ...arrived, sequence: await this.#write(arrived) }, parts);
    }
    counters.requests.add([signal, transport]);
    counters.bytes.add([signal], body.length);
    counters.records.add([signal], parts.records);
    return this.#answer(request, parts, isForwarded);
  }

  /** Everything that was answered has reached its session afterwards. */
  tellAll(): void {
    this.#untold.tellAll();
  }

  /** Its sender has his answer by now. */
  #tell(found: StoredRequest, parts: Partition): void {
    try {
      this.#apply(found, parts);
    } catch (error) {
      this.#parts.onFault(error);
    }
  }

  async #write(request: SpooledRequest): Promise<number> {
    try {
      const sequence = await this.#parts.spool.append(request);
      this.#trouble = undefined;
      return sequence;
    } catch (error) {
      if (error instanceof SpoolFull) throw new Rejected<RefusalReason>('full');
      const isNews = this.#trouble === undefined;
      this.#trouble = `the spool cannot be written: ${error instanceof Error ? error.message : String(error)}`;
      // Said once, not for each request; `/healthz` says it as long as it lasts.
      if (isNews) this.#parts.onFault(this.#trouble);
      throw new Rejected<RefusalReason>('disk');
    }
  }

  /** One that an earlier process took and did not come to the end of. */
  replay(found: StoredRequest): void {
    const { signal, encoding, body } = found;
    this.#parts.counters.replayed += 1;
    this.#apply(found, partition(decodeTelemetry(signal, encoding, body)));
  }

  /** All metrics go on, and of the rest what is not Claude Code's. */
  #isForwarded(signal: OtlpSignal, { isClaudes }: Partition): boolean {
    const hasForeign = signal === 'metrics' ? isClaudes.length > 0 : isClaudes.includes(false);
    return hasForeign && this.#parts.forwarder.takes(signal);
  }

  #refuseIfFull(signal: OtlpSignal, owners: readonly string[]): void {
    const { forwarder, areSinksFull } = this.#parts;
    const isForwarded = owners.at(-1) === FORWARDED;
    const isFull =
      (isForwarded && forwarder.isFull(signal)) || (owners.length > (isForwarded ? 1 : 0) && areSinksFull());
    if (isFull) throw new Rejected<RefusalReason>('full');
  }

  #apply(found: StoredRequest, parts: Partition): void {
    const { table, forwarder, counters } = this.#parts;
    const { signal, encoding, body, sequence } = found;
    for (const owner of found.owners) {
      if (owner !== FORWARDED) {
        const part = parts.sessions.get(owner);
        if (part !== undefined) table.receive(owner, part, found);
        continue;
      }
      const isWhole = signal === 'metrics' || !parts.isClaudes.includes(true);
      forwarder.forward(signal, encoding, isWhole ? body : withoutGroups(body, encoding, parts.isClaudes));
      counters.forwarded.add([signal]);
      this.#lastForwarded = sequence;
    }
  }

  /** OTLP's partial success: what was taken and goes nowhere is said. */
  #answer(request: OtlpRequest, { isClaudes, homeless }: Partition, isForwarded: boolean): ExportResponse {
    const { counters } = this.#parts;
    const { signal } = request;
    let stranded = 0;
    if (!isForwarded) {
      for (const [index, isClaude] of isClaudes.entries())
        if (!isClaude) stranded += request.groups[index]?.records.length ?? 0;
    }
    // Metrics have gone on as they are, whoever's they are.
    const lost = signal === 'metrics' ? 0 : homeless;
    counters.dropped.add([signal, 'no_endpoint'], stranded);
    counters.dropped.add([signal, 'no_session'], lost);
    if (stranded + lost === 0) return { rejected: 0 };
    const message = stranded > 0 ? NO_ENDPOINT : NO_SESSION;
    return { rejected: stranded + lost, message };
  }
}

const NO_ENDPOINT =
  'spanprism collect has nowhere to send what is not of Claude Code: start it with --otlp-endpoint or OTEL_EXPORTER_OTLP_ENDPOINT';
const NO_SESSION = 'these records of Claude Code have no session.id';
