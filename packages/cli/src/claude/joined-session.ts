import type { Environment } from '@spanprism/core/child';
import type { Observation, OtlpRequest, Session, SessionOptions } from '@spanprism/core/sessions';
import { findTranscript } from './find-transcript.ts';
import { TranscriptTail } from './transcript-tail.ts';

export interface JoinedSessionParts {
  readonly open: (options: Pick<SessionOptions, 'sources'>) => Session;
  readonly env: Environment;
  /** Whether the transcript is to be looked for: where one process is one session, its turns are those of the file. */
  readonly hasTranscript: boolean;
  /** When the process was started, nanoseconds since 1970. */
  readonly startedAt: bigint;
  readonly isWired: boolean;
  /** Told what cannot be read. */
  readonly onTrouble: (error: unknown) => void;
}

/** How often the transcript is looked at. */
const POLL_MS = 200;
/** How often it is looked for: what telemetry tells waits for it as long. */
const LOOKS = 15;
/** What is older than the process by less than this may still be its own: clocks of files and of processes differ. */
const SLACK_NANOS = 50_000_000n;

/**
 * What the CLI exports, joined with the transcript of the session. Which session it is, only the first export tells; whatever is
 * observed before waits for it.
 */
export class JoinedSession {
  readonly #parts: JoinedSessionParts;
  readonly #waiting: Observation[] = [];
  readonly #early: OtlpRequest[] = [];
  #session: Session | undefined;
  #tail: TranscriptTail | undefined;
  #sessionId: string | undefined;
  #looksLeft = LOOKS;
  #timer: ReturnType<typeof setInterval> | undefined;

  constructor(parts: JoinedSessionParts) {
    this.#parts = parts;
  }

  receive(request: OtlpRequest): void {
    if (this.#session !== undefined) {
      this.#poll();
      this.#session.receive(request);
      return;
    }
    this.#early.push(request);
    this.#sessionId ??= sessionOf(request);
    if (this.#sessionId === undefined) return;
    if (!this.#parts.hasTranscript) this.#open(undefined);
    else this.#look();
  }

  observe(observation: Observation): void {
    if (this.#session === undefined) this.#waiting.push(observation);
    else this.#session.observe(observation);
  }

  end(by: 'process-gone' | 'abort'): void {
    this.#looksLeft = 0;
    if (this.#session === undefined && this.#early.length > 0) this.#look();
    clearInterval(this.#timer);
    this.#try((tail) => tail.end());
    this.#session?.end(by);
  }

  /** The file may be there a little later than the first export. */
  #look(): void {
    const { hasTranscript, env } = this.#parts;
    const path = hasTranscript && this.#sessionId !== undefined ? findTranscript(this.#sessionId, env) : undefined;
    if (path !== undefined || this.#looksLeft === 0) {
      this.#open(path);
      return;
    }
    this.#looksLeft -= 1;
    clearTimeout(this.#timer);
    this.#timer = setTimeout(() => this.#look(), POLL_MS);
    this.#timer.unref();
  }

  #open(path: string | undefined): void {
    const { open, startedAt, isWired } = this.#parts;
    clearTimeout(this.#timer);
    const session = (this.#session = open({
      sources: [
        'cli',
        ...(path === undefined ? [] : (['transcript'] as const)),
        ...(isWired ? (['wire'] as const) : []),
      ],
    }));
    if (path !== undefined) {
      this.#tail = new TranscriptTail(path, {
        since: startedAt - SLACK_NANOS,
        observe: (observation) => session.observe(observation),
      });
      this.#timer = setInterval(() => this.#poll(), POLL_MS);
      this.#timer.unref();
    }
    for (const observation of this.#waiting.splice(0)) session.observe(observation);
    for (const request of this.#early.splice(0)) this.receive(request);
  }

  #poll(): void {
    this.#try((tail) => tail.poll());
  }

  #try(read: (tail: TranscriptTail) => void): void {
    if (this.#tail === undefined) return;
    try {
      read(this.#tail);
    } catch (error) {
      // Whatever it was, it will not get better: telemetry goes on alone.
      this.#tail = undefined;
      clearInterval(this.#timer);
      this.#parts.onTrouble(error);
    }
  }
}

function sessionOf(request: OtlpRequest): string | undefined {
  if (request.signal === 'metrics') return undefined;
  for (const { records } of request.groups) {
    for (const { attributes } of records) {
      const id = attributes['session.id'];
      // It becomes part of a path.
      if (typeof id === 'string' && /^[\w-]+$/.test(id)) return id;
    }
  }
  return undefined;
}
