import { hash } from 'node:crypto';
import type { IdSource } from '@spanprism/core';
import type { OtlpRequest } from '@spanprism/core/otlp';

type TraceId = ReturnType<IdSource['traceId']>;
type SpanId = ReturnType<IdSource['spanId']>;

const TRACE_ID = /^(?!0{32})[0-9a-f]{32}$/;

/**
 * The ids of one session's spans. They follow from the requests that told of them, so that a request that is read again after a restart
 * gives the same spans again. Traces keep the ids that Claude Code gave them: what else is in a trace stays with it.
 */
export class SessionIds implements IdSource {
  readonly #sessionId: string;
  #request = '';
  #traceId = '';
  #blocks = 0;
  /** Hexadecimal digits that no id has yet. */
  #digits = '';

  constructor(sessionId: string) {
    this.#sessionId = sessionId;
  }

  /** What is minted from now on is of that request, which has a name of its own, and of that trace. */
  reading(request: string, traceId: string): void {
    this.#traceId = traceId;
    if (request === this.#request) return;
    this.#request = request;
    this.#blocks = 0;
    this.#digits = '';
  }

  traceId(): TraceId {
    return (TRACE_ID.test(this.#traceId) ? this.#traceId : this.#mint(32)) as TraceId;
  }

  spanId(): SpanId {
    return this.#mint(16) as SpanId;
  }

  /** One digest serves four spans. */
  #mint(count: number): string {
    if (this.#digits.length < count) {
      this.#blocks += 1;
      const name = `${this.#sessionId}/${this.#request}/${this.#blocks}`;
      this.#digits = hash('sha256', name);
    }
    const id = this.#digits.slice(0, count);
    this.#digits = this.#digits.slice(count);
    return id;
  }
}

/** A request in parts of one trace each, in the order in which traces first appear; itself when it is of one. */
export function byTrace(request: OtlpRequest): readonly { readonly traceId: string; readonly part: OtlpRequest }[] {
  if (request.signal === 'metrics') return [{ traceId: '', part: request }];
  const first = request.groups[0]?.records[0]?.traceId ?? '';
  if (request.groups.every(({ records }) => isAllOf(records, first))) return [{ traceId: first, part: request }];
  const ids = new Set<string>();
  for (const group of request.groups) for (const { traceId = '' } of group.records) ids.add(traceId);
  return [...ids].map((traceId) => ({ traceId, part: only(request, traceId) }));
}

const isAllOf = (records: readonly { readonly traceId?: string }[], id: string): boolean =>
  records.every(({ traceId = '' }) => traceId === id);

function only(request: Exclude<OtlpRequest, { signal: 'metrics' }>, traceId: string): OtlpRequest {
  const groups = request.groups.map((group) => ({
    ...group,
    records: (group.records as readonly { readonly traceId?: string }[]).filter(
      (one) => (one.traceId ?? '') === traceId,
    ),
  }));
  // The groups are of the request's own signal.
  return { signal: request.signal, groups } as unknown as OtlpRequest;
}
