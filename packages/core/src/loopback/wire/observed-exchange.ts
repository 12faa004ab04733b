import { given } from '../../model/given.ts';
import { type Head, fieldOf } from './http-head.ts';
import type { ExchangeEnd, PassedAnswer, PassedExchange, PassedRequest } from './wire-protocol.ts';

/** What one exchange may hold in memory; the API itself takes no request above 32 MB. */
const MAX_KEPT_BYTES = 64 * 1024 * 1024;
const LEAST_BYTES = 8 * 1024;
const MOST_EXPECTED_BYTES = 256 * 1024;

/** Collects what passes of one model call. */
export class ObservedExchange {
  readonly token: string;
  readonly #fields: Omit<PassedRequest, 'body' | 'isComplete'>;
  readonly #request: Uint8Array[] = [];
  readonly #startedAt: number;
  #answer: Omit<PassedAnswer, 'body' | 'firstByteAt'> | undefined;
  #answerBody: Buffer = EMPTY;
  #answerLength = 0;
  readonly #firstBytes: number;
  #firstByteAt: number | undefined;
  #isRequestComplete = false;
  bytes = 0;

  /** `expectedBytes`: of its answer, where one like it has passed before. */
  constructor(token: string, head: Head, expectedBytes: number) {
    this.token = token;
    this.#firstBytes = Math.min(MOST_EXPECTED_BYTES, Math.max(LEAST_BYTES, expectedBytes));
    this.#startedAt = timeNow();
    this.#fields = {
      ...given('sessionId', fieldOf(head, 'x-claude-code-session-id')),
      ...given('agentId', fieldOf(head, 'x-claude-code-agent-id')),
      ...given('parentAgentId', fieldOf(head, 'x-claude-code-parent-agent-id')),
      ...given('contentEncoding', fieldOf(head, 'content-encoding')),
    };
  }

  requestBytes(bytes: Buffer, start: number, end: number): void {
    if (!this.#mayKeep(end - start)) return;
    // A view of a part would keep, and hand on, the whole: the head, with its credentials, in front of it.
    const isWhole = end - start === bytes.buffer.byteLength;
    this.#request.push(isWhole ? bytes : Uint8Array.prototype.slice.call(bytes, start, end));
  }

  requestComplete(): void {
    this.#isRequestComplete = true;
  }

  answerHead(head: Head, status: number): void {
    this.#answer = {
      status,
      ...given('requestId', fieldOf(head, 'request-id')),
      ...given('contentType', fieldOf(head, 'content-type')),
      ...given('contentEncoding', fieldOf(head, 'content-encoding')),
    };
  }

  answerBytes(bytes: Buffer, start: number, end: number): void {
    this.#firstByteAt ??= timeNow();
    if (!this.#mayKeep(end - start)) return;
    const length = this.#answerLength + end - start;
    // Deltas are small and many: one buffer that doubles is copied less often, and handed on at once.
    if (length > this.#answerBody.length) {
      const larger = Buffer.from(new ArrayBuffer(Math.max(this.#firstBytes, length, 2 * this.#answerBody.length)));
      this.#answerBody.copy(larger, 0, 0, this.#answerLength);
      this.#answerBody = larger;
    }
    bytes.copy(this.#answerBody, this.#answerLength, start, end);
    this.#answerLength = length;
  }

  get answerLength(): number {
    return this.#answerLength;
  }

  /** What was seen of it; `isThin`: without the bodies. */
  ended(how: {
    readonly number: number;
    readonly end: ExchangeEnd;
    readonly failure?: string;
    readonly isThin: boolean;
  }): PassedExchange {
    const { isThin, number, end, failure } = how;
    const wasThinned = isThin || this.bytes > MAX_KEPT_BYTES;
    const body = wasThinned ? EMPTY : this.#answerBody.subarray(0, this.#answerLength);
    return {
      token: this.token,
      number,
      request: { ...this.#fields, body: wasThinned ? [] : this.#request, isComplete: this.#isRequestComplete },
      ...(this.#answer === undefined
        ? {}
        : { answer: { ...this.#answer, body, ...given('firstByteAt', this.#firstByteAt) } }),
      end,
      ...given('failure', failure),
      startedAt: this.#startedAt,
      endedAt: timeNow(),
      wasThinned,
    };
  }

  #mayKeep(bytes: number): boolean {
    this.bytes += bytes;
    return this.bytes <= MAX_KEPT_BYTES;
  }
}

const EMPTY: Buffer = Buffer.from(new ArrayBuffer(0));

function timeNow(): number {
  return performance.timeOrigin + performance.now();
}
