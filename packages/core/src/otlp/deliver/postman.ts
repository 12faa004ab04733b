import type { DeliveryOptions, DeliverySettings, Headers, Receipt, SignRequest } from './delivery-options.ts';
import { httpTransport } from './http-transport.ts';
import type { Transport, TransportResponse } from './http-transport.ts';
import { decoded, quote } from './masking.ts';
import type { Timers } from './timers.ts';
import { describeFailure, verdictOf } from './verdict.ts';
import type { Verdict } from './verdict.ts';

/** What became of one request. */
export interface Answer {
  readonly verdict: Verdict;
  /** The name it is counted under when it is final. */
  readonly reason: string;
  /** Status or error code: the key of the advice. */
  readonly cause: string;
  /** What happened, to follow the URL in a sentence. */
  readonly text: string;
  readonly responseHeaders: Readonly<Record<string, string | undefined>>;
  /** Its message may be shown. */
  readonly receipt?: Receipt;
}

/** Carries one batch to the endpoint, once, and says what happened; never throws. */
export class Postman {
  readonly #options: DeliveryOptions;
  readonly #settings: DeliverySettings;
  readonly #timers: Timers;
  readonly #transport: Transport;

  constructor(options: DeliveryOptions, settings: DeliverySettings, timers: Timers) {
    this.#options = options;
    this.#settings = settings;
    this.#timers = timers;
    this.#transport = options.transport ?? httpTransport(settings.concurrency);
  }

  close(): void {
    this.#transport.close();
  }

  async carry(records: readonly Uint8Array[], abandoned: AbortSignal): Promise<Answer> {
    let headers: Headers = {};
    let body: Uint8Array;
    try {
      headers = this.#headers();
      body = this.#options.assemble(records);
      if (this.#options.compression === 'gzip') body = await gzip(body);
    } catch (error) {
      const text = `was not called, as the request could not be made (${this.#quote(describeFailure(error).text, headers)})`;
      return failed({ verdict: 'drop', cause: 'not_sent', text });
    }
    const request = new AbortController();
    const abort = (): void => request.abort();
    let isTimedOut = false;
    const cancelTimeout = this.#timers.after(this.#settings.requestTimeoutMs, () => {
      isTimedOut = true;
      abort();
    });
    abandoned.addEventListener('abort', abort);
    try {
      if (abandoned.aborted) abort();
      const { sign } = this.#options;
      if (sign !== undefined) headers = { ...headers, ...(await this.#signature(sign, { headers, body, request })) };
      const run = this.#options.suppress ?? ((post) => post());
      return this.#read(await run(() => this.#post(body, headers, request.signal)), headers);
    } catch (error) {
      const { code, text } = describeFailure(error);
      if (isTimedOut)
        return failed({
          verdict: 'retry',
          cause: 'ETIMEDOUT',
          text: `did not answer within ${this.#settings.requestTimeoutMs} ms`,
        });
      if (error instanceof SignError)
        return failed({ verdict: 'retry', cause: 'not_signed', text: this.#quote(error.message, headers) });
      return failed({ verdict: 'retry', cause: code, text: `cannot be reached (${this.#quote(text, headers)})` });
    } finally {
      cancelTimeout();
      abandoned.removeEventListener('abort', abort);
    }
  }

  #post(body: Uint8Array, headers: Headers, signal: AbortSignal): Promise<TransportResponse> {
    return this.#transport.post({
      url: this.#settings.url,
      headers: this.#described(headers),
      body,
      signal,
    });
  }

  /** With what the body is: no secrets, unlike the other headers. */
  #described(headers: Headers): Headers {
    return {
      ...headers,
      'content-type': this.#options.contentType,
      ...(this.#options.compression === 'gzip' ? { 'content-encoding': 'gzip' } : {}),
    };
  }

  async #signature(sign: SignRequest, { headers, body, request }: Unsigned): Promise<Headers> {
    const { signal } = request;
    const late = new Promise<never>((_, reject) => {
      if (signal.aborted) reject(new Error('aborted'));
      else signal.addEventListener('abort', () => reject(new Error('aborted')), { once: true });
    });
    try {
      // Keys may come from afar, and must not hold up everything when they never do.
      const signed = sign({ url: this.#settings.url, headers: this.#described(headers), body });
      return inLowerCase(await Promise.race([signed, late]));
    } catch (error) {
      throw new SignError(`was not called, as the request could not be signed (${describeFailure(error).text})`);
    }
  }

  #headers(): Headers {
    const given = typeof this.#options.headers === 'function' ? this.#options.headers() : (this.#options.headers ?? {});
    const lowered = inLowerCase(given);
    const { username, password } = this.#settings.url;
    if (username === '' || lowered['authorization'] !== undefined) return lowered;
    const user = `${decoded(username)}:${decoded(password)}`;
    return { ...lowered, authorization: `Basic ${Buffer.from(user).toString('base64')}` };
  }

  #quote(text: string, headers: Headers): string {
    return quote(text, { url: this.#settings.url, headers });
  }

  #read(response: TransportResponse, headers: Headers): Answer {
    const verdict = verdictOf(response.status);
    const isText = /json|text|^$/.test(response.headers['content-type'] ?? '');
    const said = isText ? this.#quote(Buffer.from(response.body).toString(), headers) : '';
    const answer: Answer = {
      verdict,
      reason: `http_${response.status}`,
      cause: String(response.status),
      text: `answered ${response.status}${said === '' ? '' : ` ("${said}")`}`,
      responseHeaders: response.headers,
    };
    if (verdict !== 'delivered' || this.#options.readResponse === undefined) return answer;
    try {
      const receipt = this.#options.readResponse(response.body, response.headers['content-type'] ?? '');
      const message = this.#quote(receipt.message ?? '', headers);
      return { ...answer, receipt: { rejected: receipt.rejected, message } };
    } catch {
      // Accepted is accepted, even with an answer that cannot be read.
      return answer;
    }
  }
}

interface Unsigned {
  readonly headers: Headers;
  readonly body: Uint8Array;
  readonly request: AbortController;
}

class SignError extends Error {}

function inLowerCase(headers: Headers): Headers {
  return Object.fromEntries(Object.entries(headers).map(([name, value]) => [name.toLowerCase(), value]));
}

/** An answer that never came. */
export function failed(what: Pick<Answer, 'verdict' | 'cause' | 'text'>): Answer {
  return { ...what, reason: what.cause, responseHeaders: {} };
}

function gzip(body: Uint8Array): Promise<Uint8Array> {
  const { gzip: compress } = process.getBuiltinModule('node:zlib');
  return new Promise((resolve, reject) => {
    // Level 1 is three to four times as fast as the default and hardly larger on spans.
    compress(body, { level: 1 }, (error, compressed) => (error === null ? resolve(compressed) : reject(error)));
  });
}
