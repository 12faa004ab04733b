import type { Socket } from 'node:net';
import { BodyScanner } from './body-scanner.ts';
import { headForUpstream } from './forwarded-head.ts';
import {
  answerFraming,
  endOfHead,
  fieldOf,
  parseHead,
  requestFraming,
  requestLine,
  skipEmptyLines,
  statusOf,
} from './http-head.ts';
import { ObservedExchange } from './observed-exchange.ts';
import { type Dialed, dial } from './upstream.ts';
import { answerTo, unreachable } from './refusals.ts';
import type { ExchangeEnd, Refusal } from './wire-protocol.ts';

/** Whom a connection asks and tells. */
export interface WireHost {
  /** Undefined for a token that is not known. */
  route(token: string): Dialed | undefined;
  /** Whether model calls are collected; without, everything just passes. */
  readonly observes: boolean;
  refused(refusal: Refusal): void;
  /** A request was passed on; `isCall` when it is a model call. */
  requested(isCall: boolean): void;
  ended(end: ExchangeEnd): void;
  observed(exchange: ObservedExchange, how: { readonly end: ExchangeEnd; readonly failure?: string }): void;
}

const MAX_HEAD_BYTES = 256 * 1024;
/** How long a client may take for the head of its first request, and to close when it was told all that it will be. */
const PATIENCE_MS = 60_000;
const CALL = /^\/v1\/messages(?:\?|$)/;
const EMPTY: Buffer = Buffer.alloc(0);

interface OpenExchange {
  readonly method: string;
  readonly request: BodyScanner;
  readonly observed: ObservedExchange | undefined;
  answer: BodyScanner | undefined;
}

/**
 * One connection of a client and the one to the upstream that belongs to it: they live and die together, so the client sees of the
 * upstream's connection what it would see of its own. Every byte is passed on before it is looked at.
 */
export class Connection {
  readonly #host: WireHost;
  readonly #client: Socket;
  #upstream: Socket | undefined;
  #dialed: Dialed | undefined;
  #stopDialing: (() => void) | undefined;
  /** Written while the upstream's connection is being opened. */
  #unsent: Buffer[] = [];
  #clientHead: Buffer = EMPTY;
  #answerHead: Buffer = EMPTY;
  #open: OpenExchange | undefined;
  /** Bytes of a next request that came before the answer to this one. */
  #early: Buffer = EMPTY;
  #isTunnel = false;
  #isDone = false;
  #answers = 0;
  /** About what the next answer will have, by the latest. */
  #expectedBytes = 0;
  #failure: string | undefined;
  #patience: ReturnType<typeof setTimeout> | undefined;

  constructor(client: Socket, host: WireHost) {
    this.#host = host;
    this.#client = client;
    client.setNoDelay(true);
    this.#hurry();
    client.on('data', (bytes: Buffer) => this.#fromClient(bytes));
    client.on('drain', () => this.#upstream?.resume());
    client.on('end', () => this.#clientEnded());
    client.on('error', () => client.destroy());
    client.on('close', () => this.#clientClosed());
  }

  /** What comes in one piece goes out in one. */
  #fromClient(bytes: Buffer): void {
    const upstream = this.#upstream;
    upstream?.cork();
    this.#takeFromClient(bytes);
    upstream?.uncork();
  }

  #takeFromClient(bytes: Buffer): void {
    let at = 0;
    while (at < bytes.length && !this.#isDone) {
      if (this.#isTunnel) {
        this.#send(bytes.subarray(at));
        return;
      }
      const { request } = this.#open ?? {};
      if (request === undefined) at = this.#takeHead(bytes, at);
      // Who asks on has taken the answer for whole, whatever it says of its length.
      else if (request.isOver && this.#open?.answer?.endsWithConnection === true) this.#endExchange('complete');
      else if (request.isOver) {
        this.#early = Buffer.concat([this.#early, bytes.subarray(at)]);
        this.#client.pause();
        return;
      } else at = this.#takeBody(bytes, at, request);
    }
  }

  #takeBody(bytes: Buffer, at: number, request: BodyScanner): number {
    const end = request.take(bytes, at);
    this.#send(at === 0 && end === bytes.length ? bytes : bytes.subarray(at, end));
    if (request.isOver) {
      this.#open?.observed?.requestComplete();
      this.#endIfOver();
    }
    return end;
  }

  #takeHead(bytes: Buffer, from: number): number {
    const known = this.#clientHead.length;
    const at = known === 0 ? skipEmptyLines(bytes, from) : from;
    const head = known === 0 ? bytes.subarray(at) : Buffer.concat([this.#clientHead, bytes.subarray(at)]);
    const length = endOfHead(head, known);
    if (length === -1) {
      this.#clientHead = head;
      if (head.length > MAX_HEAD_BYTES) this.#refuse('bad_http');
      return bytes.length;
    }
    this.#clientHead = EMPTY;
    this.#begin(head.subarray(0, length));
    return at + length - known;
  }

  #begin(bytes: Buffer): void {
    const head = parseHead(bytes);
    const line = requestLine(head);
    const framing = requestFraming(head);
    if (line === undefined || framing === undefined) return this.#refuse('bad_http');
    // A page in a browser can be made to resolve its own name to 127.0.0.1; its requests then carry that name.
    if (!this.#isOwnHost(fieldOf(head, 'host'))) return this.#refuse('wrong_host');
    const [, token = '', path = '/'] = /^\/([^/?]+)(.*)$/.exec(line.target) ?? [];
    const dialed = this.#host.route(token);
    if (dialed === undefined) return this.#refuse('unknown_token');
    clearTimeout(this.#patience);
    const isCall = line.method === 'POST' && CALL.test(path);
    const expected = { requestBytes: framing.type === 'length' ? framing.bytes : 0, answerBytes: this.#expectedBytes };
    const observed = isCall && this.#host.observes ? new ObservedExchange(token, head, expected) : undefined;
    const request = new BodyScanner(framing, (payload, start, end) => observed?.requestBytes(payload, start, end));
    if (request.isOver) observed?.requestComplete();
    this.#open = { method: line.method, request, observed, answer: undefined };
    this.#host.requested(isCall);
    this.#dial(dialed);
    this.#send(headForUpstream(dialed, head, { ...line, path }));
  }

  #isOwnHost(host: string | undefined): boolean {
    const port = this.#client.localPort;
    const name = host?.toLowerCase();
    return name === `127.0.0.1:${port}` || name === `localhost:${port}`;
  }

  #dial(dialed: Dialed): void {
    if (this.#dialed === dialed) return;
    // Another route on the same connection: the old upstream's is of no use to it.
    this.#letGoOfUpstream();
    this.#dialed = dialed;
    this.#stopDialing = dial(dialed, {
      connected: (upstream) => this.#connected(upstream),
      failed: (error) => this.#unreachable(error),
      bytes: (bytes) => this.#fromUpstream(bytes),
      // The head of an answer that is not complete, and what the client is not ready for.
      holdsBytes: () => this.#client.writableLength > 0 || this.#answerHead.length > 0,
    });
  }

  #letGoOfUpstream(): void {
    this.#stopDialing?.();
    this.#stopDialing = undefined;
    this.#upstream
      ?.removeAllListeners()
      .on('error', () => undefined)
      .destroy();
    this.#upstream = undefined;
    this.#answerHead = EMPTY;
    this.#answers = 0;
  }

  #connected(upstream: Socket): void {
    this.#upstream = upstream;
    upstream.on('drain', () => {
      if (this.#early.length === 0) this.#client.resume();
    });
    upstream.on('end', () => this.#upstreamEnded());
    upstream.on('error', (error: NodeJS.ErrnoException) => {
      this.#failure = error.code ?? error.message;
    });
    upstream.on('close', () => this.#upstreamClosed());
    const unsent = this.#unsent;
    this.#unsent = [];
    upstream.cork();
    for (const bytes of unsent) upstream.write(bytes);
    upstream.uncork();
    if (this.#client.readableEnded) this.#clientEnded();
    else if (this.#early.length === 0) this.#client.resume();
    upstream.resume();
  }

  /** Forwards at once; what the upstream is not ready for, the client waits with. */
  #send(bytes: Buffer): void {
    const upstream = this.#upstream;
    if (upstream === undefined) {
      this.#unsent.push(bytes);
      // The head and a first piece of the body; the kernel holds the rest.
      if (this.#unsent.length > 2) this.#client.pause();
    } else if (!upstream.write(bytes)) this.#client.pause();
  }

  #fromUpstream(bytes: Buffer): void {
    if (!this.#client.write(bytes)) this.#upstream?.pause();
    let at = 0;
    while (at < bytes.length && this.#open !== undefined && this.#open.answer?.isOver !== true) {
      const { answer } = this.#open;
      at = answer === undefined ? this.#takeAnswerHead(bytes, at, this.#open) : answer.take(bytes, at);
      this.#endIfOver();
    }
  }

  /** An answer may be over before its request is. */
  #endIfOver(): void {
    if (this.#open?.answer?.isOver === true && this.#open.request.isOver) this.#endExchange('complete');
  }

  /** From here on nobody knows what the bytes are; they pass. */
  #beginTunnel(end: ExchangeEnd): void {
    this.#isTunnel = true;
    this.#endExchange(end);
  }

  #takeAnswerHead(bytes: Buffer, at: number, open: OpenExchange): number {
    const known = this.#answerHead.length;
    const head = known === 0 ? bytes.subarray(at) : Buffer.concat([this.#answerHead, bytes.subarray(at)]);
    const length = endOfHead(head, known);
    if (length === -1) {
      this.#answerHead = head;
      if (head.length > MAX_HEAD_BYTES) this.#beginTunnel('cut');
      return bytes.length;
    }
    this.#answerHead = EMPTY;
    this.#beginAnswer(head.subarray(0, length), open);
    return at + length - known;
  }

  #beginAnswer(bytes: Buffer, open: OpenExchange): void {
    const head = parseHead(bytes);
    const status = statusOf(head);
    if (status === undefined) this.#beginTunnel('cut');
    else if (status === 101) this.#beginTunnel('complete');
    else if (status >= 200) {
      this.#answers += 1;
      open.observed?.answerHead(head, status);
      open.answer = new BodyScanner(answerFraming(head, status, open.method), (payload, start, end) =>
        open.observed?.answerBytes(payload, start, end),
      );
    }
  }

  /** `asFarAsSeen`: with an answer that is whole it is complete, whatever became of the connection. */
  #endExchange(asFarAsSeen: ExchangeEnd): void {
    const open = this.#open;
    if (open === undefined) return;
    const end = open.answer?.isOver === true ? 'complete' : asFarAsSeen;
    this.#open = undefined;
    this.#host.ended(end);
    const failure = this.#failure;
    if (open.observed !== undefined) {
      this.#expectedBytes = Math.ceil(open.observed.answerLength * 1.25);
      this.#host.observed(open.observed, { end, ...(failure === undefined ? {} : { failure }) });
    }
    if (this.#early.length === 0) return;
    const next = this.#early;
    this.#early = EMPTY;
    this.#client.resume();
    this.#fromClient(next);
    if (this.#client.readableEnded) this.#clientEnded();
  }

  /** Half-closed, as it would be without us: an answer may still come. */
  #clientEnded(): void {
    if (this.#early.length > 0) return;
    if (this.#upstream !== undefined) this.#upstream.end();
    else if (this.#open === undefined) this.#client.end();
  }

  #clientClosed(): void {
    clearTimeout(this.#patience);
    this.#isDone = true;
    this.#endExchange('left');
    this.#letGoOfUpstream();
  }

  #upstreamEnded(): void {
    const { answer } = this.#open ?? {};
    if (answer?.endsWithConnection === true) this.#endExchange('complete');
    // Who has answered may still listen to the rest of the request. Who ends in the middle of an answer, or before it, has no more to say.
    if (this.#open === undefined || answer?.isOver === true) this.#client.end();
    else this.#upstreamClosed();
  }

  #upstreamClosed(): void {
    const { answer } = this.#open ?? {};
    const isUntouched = this.#answers === 0 && this.#answerHead.length === 0 && !this.#isTunnel;
    // A connection that is closed before it has brought anything might as well never have come about.
    if (this.#open !== undefined && isUntouched && this.#client.writable)
      return this.#unreachable(new Error(this.#failure ?? 'closed'));
    // It may have closed because the client had.
    this.#endExchange(this.#client.readableEnded ? 'left' : 'cut');
    this.#letGoOfUpstream();
    // Without an error the client could take what it has for the whole.
    if (answer?.endsWithConnection === true) {
      this.#isDone = true;
      this.#client.resetAndDestroy();
    } else this.#dismiss();
  }

  #unreachable(error: NodeJS.ErrnoException): void {
    this.#failure = error.code ?? error.message;
    this.#stopDialing = undefined;
    this.#endExchange('unreachable');
    this.#letGoOfUpstream();
    this.#refuse('unreachable', this.#dialed && unreachable(this.#dialed, this.#failure));
  }

  #refuse(refusal: Refusal, nearer?: string): void {
    if (refusal !== 'unreachable') this.#host.refused(refusal);
    this.#dismiss(answerTo(refusal, nearer));
  }

  /** Nothing more will be said. What is still being sent is read and dropped: a reset would take what was said last with it. */
  #dismiss(lastWords?: string): void {
    this.#isDone = true;
    if (lastWords !== undefined) this.#client.write(lastWords);
    this.#client.end();
    this.#client
      .removeAllListeners('data')
      .on('data', () => undefined)
      .resume();
    this.#hurry();
  }

  #hurry(): void {
    clearTimeout(this.#patience);
    this.#patience = setTimeout(() => this.#client.destroy(), PATIENCE_MS).unref();
  }
}
