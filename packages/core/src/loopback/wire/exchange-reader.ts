import { Conversations } from './conversations.ts';
import { readAnswer } from './read-answer.ts';
import { readRequest } from './read-request.ts';
import { unpack } from './unpack.ts';
import type { WireExchange, WireGap, WireRequest } from './wire-exchange.ts';
import type { PassedExchange } from './wire-protocol.ts';

/** Turns what has passed into what was said. Reading takes milliseconds where requests are large: never done where bytes are forwarded. */
export class ExchangeReader {
  readonly #conversations: Conversations = new Conversations();

  read(passed: PassedExchange): WireExchange {
    const { token, number, answer, end, failure, startedAt, endedAt } = passed;
    const { sessionId, agentId, parentAgentId } = passed.request;
    const gaps: WireGap[] = passed.wasThinned ? ['thinned'] : [];
    const request = this.#request(passed, gaps);
    const body = answer === undefined ? undefined : unpack(answer.body, answer.contentEncoding);
    const read = body === undefined ? undefined : readAnswer(body, answer?.contentType);
    if (answer !== undefined && !passed.wasThinned && (read === undefined || read.isBroken)) gaps.push('answer');
    return {
      token,
      number,
      ...(sessionId === undefined ? {} : { sessionId }),
      ...(agentId === undefined ? {} : { agentId }),
      ...(parentAgentId === undefined ? {} : { parentAgentId }),
      request,
      ...(answer === undefined ? {} : { status: answer.status }),
      ...(answer?.requestId === undefined ? {} : { requestId: answer.requestId }),
      ...(read?.answer === undefined ? {} : { answer: read.answer }),
      ...(read?.error === undefined ? {} : { error: read.error }),
      end,
      ...(failure === undefined ? {} : { failure }),
      startedAt,
      ...(answer?.firstByteAt === undefined ? {} : { firstByteAt: answer.firstByteAt }),
      endedAt,
      gaps,
    };
  }

  release(token: string): void {
    this.#conversations.forgetOwner((owner) => owner.startsWith(`${token}/`));
  }

  #request({ token, request, wasThinned }: PassedExchange, gaps: WireGap[]): WireRequest {
    const nothing: WireRequest = { purpose: 'turn', messages: [], isFirst: true, isRepeated: false };
    if (wasThinned) return nothing;
    const body = unpack(request.body, request.contentEncoding);
    const owner = `${token}/${request.sessionId ?? ''}/${request.agentId ?? ''}`;
    const read = body === undefined ? nothing : readRequest(this.#conversations, owner, body);
    if (body === undefined || read.unreadable !== undefined) gaps.push('request');
    return read;
  }
}
