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
  #timer: ReturnType<typeof setInterval> | undefined;

  constructor(parts: JoinedSessionParts) {
    this.#parts = parts;
  }

  receive(request: OtlpRequest): void {
    // Metrics do not tell as readily which session they are of.
    if (this.#session === undefined && request.signal === 'metrics') {
      this.#early.push(request);
      return;
    }
    this.#session ??= this.#open(sessionOf(request));
    this.#poll();
    this.#session.receive(request);
  }

  observe(observation: Observation): void {
    if (this.#session === undefined) this.#waiting.push(observation);
    else this.#session.observe(observation);
  }

  end(by: 'process-gone' | 'abort'): void {
    clearInterval(this.#timer);
    // Of a process that was killed at once, metrics may be all there is.
    if (this.#early.length > 0) this.#session ??= this.#open(undefined);
    this.#try((tail) => tail.end());
    this.#session?.end(by);
  }

  #open(sessionId: string | undefined): Session {
    const { open, env, hasTranscript, startedAt, isWired } = this.#parts;
    const path = hasTranscript && sessionId !== undefined ? findTranscript(sessionId, env) : undefined;
    const session = open({
      sources: [
        'cli',
        ...(path === undefined ? [] : (['transcript'] as const)),
        ...(isWired ? (['wire'] as const) : []),
      ],
    });
    if (path !== undefined) {
      this.#tail = new TranscriptTail(path, {
        since: startedAt - SLACK_NANOS,
        observe: (observation) => session.observe(observation),
      });
      this.#timer = setInterval(() => this.#poll(), POLL_MS);
      this.#timer.unref();
    }
    for (const observation of this.#waiting.splice(0)) session.observe(observation);
    for (const request of this.#early.splice(0)) session.receive(request);
    return session;
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
