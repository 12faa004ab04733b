import { given } from '../../model/given.ts';
import { systemClock } from '../../model/time.ts';
import { Gathered } from './gathered.ts';
import { type Head, fieldOf } from './http-head.ts';
import type { ExchangeEnd, PassedAnswer, PassedExchange, PassedRequest } from './wire-protocol.ts';

/** What one exchange may hold in memory; the API itself takes no request above 32 MB. */
const MAX_KEPT_BYTES = 64 * 1024 * 1024;
const LEAST_BYTES = 8 * 1024;
const MOST_EXPECTED_BYTES = 256 * 1024;

/** How many bytes its bodies will have, as far as anybody knows. */
export interface Expected {
  readonly requestBytes: number;
  readonly answerBytes: number;
}

/** Collects what passes of one model call. */
export class ObservedExchange {
  readonly token: string;
  readonly #fields: Omit<PassedRequest, 'body' | 'isComplete'>;
  readonly #request: Gathered;
  readonly #answerBody: Gathered;
  readonly #startedAt: number;
  #answer: Omit<PassedAnswer, 'body' | 'firstByteAt'> | undefined;
  #firstByteAt: number | undefined;
  #isRequestComplete = false;
  #bytes = 0;

  constructor(token: string, head: Head, expected: Expected) {
    this.token = token;
    this.#request = new Gathered(Math.min(MAX_KEPT_BYTES, expected.requestBytes));
    this.#answerBody = new Gathered(Math.min(MOST_EXPECTED_BYTES, Math.max(LEAST_BYTES, expected.answerBytes)));
    this.#startedAt = timeNow();
    this.#fields = {
      ...given('sessionId', fieldOf(head, 'x-claude-code-session-id')),
      ...given('agentId', fieldOf(head, 'x-claude-code-agent-id')),
      ...given('parentAgentId', fieldOf(head, 'x-claude-code-parent-agent-id')),
      ...given('contentEncoding', fieldOf(head, 'content-encoding')),
    };
  }

  requestBytes(bytes: Buffer, start: number, end: number): void {
    if (this.#mayKeep(end - start)) this.#request.add(bytes, start, end);
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
    if (this.#mayKeep(end - start)) this.#answerBody.add(bytes, start, end);
  }

  get answerLength(): number {
    return this.#answerBody.length;
  }

  /** What was seen of it; `isThin`: without the bodies. */
  ended(how: {
    readonly number: number;
    readonly end: ExchangeEnd;
    readonly failure?: string;
    readonly isThin: boolean;
  }): PassedExchange {
    const { isThin, number, end, failure } = how;
    const wasThinned = isThin || this.#bytes > MAX_KEPT_BYTES;
    const bodyOf = ({ bytes }: Gathered): Uint8Array => (wasThinned ? new Uint8Array() : bytes);
    return {
      token: this.token,
      number,
      request: { ...this.#fields, body: bodyOf(this.#request), isComplete: this.#isRequestComplete },
      ...(this.#answer === undefined
        ? {}
        : { answer: { ...this.#answer, body: bodyOf(this.#answerBody), ...given('firstByteAt', this.#firstByteAt) } }),
      end,
      ...given('failure', failure),
      startedAt: this.#startedAt,
      endedAt: timeNow(),
      wasThinned,
    };
  }

  #mayKeep(bytes: number): boolean {
    this.#bytes += bytes;
    return this.#bytes <= MAX_KEPT_BYTES;
  }
}

const clock = systemClock();

/** Milliseconds since 1970. */
function timeNow(): number {
  return Number(clock.now()) / 1e6;
}
