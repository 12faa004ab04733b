import type { Environment } from '@spanprism/core/child';
import type { Observation, OtlpRequest, Session, SessionEnd, SessionOptions } from '@spanprism/core/sessions';
import { findTranscript } from './find-transcript.ts';
import { workingSession } from './prompts.ts';
import { TerminalTurns } from './terminal-turns.ts';
import { TranscriptTail } from './transcript-tail.ts';

export interface JoinedSessionParts {
  readonly open: (options: Pick<SessionOptions, 'sources'>) => Session;
  readonly env: Environment;
  /**
   * Where transcripts are: in `one` file where one process is one session, whose turns are those of the file; in `many` at a terminal,
   * where turns are those that telemetry tells of.
   */
  readonly files: 'one' | 'many' | 'none';
  /** When the process was started, nanoseconds since 1970. */
  readonly startedAt: bigint;
  readonly isWired: boolean;
  /** Told what cannot be read. */
  readonly onTrouble: (error: unknown) => void;
}

/** Requests that passed before any export came. More of them do so only where none will come, as settings send them elsewhere. */
const MOST_WAITING = 64;
/** How often the transcript is looked at. */
const POLL_MS = 200;
/** How often it is looked for: what telemetry tells waits for it as long. */
const LOOKS = 15;
/** What is older than the process by less than this may still be its own: clocks of files and of processes differ. */
const SLACK_NANOS = 50_000_000n;

/**
 * What the CLI exports, joined with the transcript of the session. Which session it is, only exports tell, and that it is one, what an
 * agent at work brings about: whatever is told before waits for it.
 */
export class JoinedSession {
  readonly #parts: JoinedSessionParts;
  readonly #waiting: Observation[] = [];
  readonly #early: OtlpRequest[] = [];
  #session: Session | undefined;
  #tail: TranscriptTail | undefined;
  #terminal: TerminalTurns | undefined;
  #sessionId: string | undefined;
  #looksLeft = LOOKS;
  #timer: ReturnType<typeof setTimeout> | undefined;

  constructor(parts: JoinedSessionParts) {
    this.#parts = parts;
  }

  receive(request: OtlpRequest): void {
    if (this.#session !== undefined) {
      this.#tell(this.#session, request);
      return;
    }
    this.#early.push(request);
    this.#sessionId ??= workingSession(request);
    if (this.#sessionId === undefined) return;
    this.#look();
  }

  #tell(session: Session, request: OtlpRequest): void {
    if (this.#terminal !== undefined) {
      this.#terminal.receive(request);
      return;
    }
    this.#poll();
    session.receive(request);
  }

  observe(observation: Observation): void {
    if (this.#session !== undefined) return this.#session.observe(observation);
    if (this.#waiting.length === MOST_WAITING) this.#waiting.shift();
    this.#waiting.push(observation);
  }

  /** Reads what is left of the transcript, but not for longer than until then, by `performance.now`. */
  async end(by: SessionEnd, until: number): Promise<void> {
    this.#looksLeft = 0;
    if (this.#session === undefined && this.#sessionId !== undefined) this.#look();
    clearTimeout(this.#timer);
    while (this.#poll()) {
      if (performance.now() < until) await turnOfEvents();
      else {
        this.#parts.onTrouble('it is too long to be read to its end in time');
        break;
      }
    }
    this.#terminal?.end();
    this.#try((tail) => tail.end());
    this.#session?.end(by);
  }

  /** The file may be there a little later than the first export. */
  #look(): void {
    const { files, env } = this.#parts;
    const path = files === 'one' && this.#sessionId !== undefined ? findTranscript(this.#sessionId, env) : undefined;
    if (path !== undefined || files !== 'one' || this.#looksLeft === 0) {
      this.#open(path);
      return;
    }
    this.#timer ??= setTimeout(() => {
      this.#timer = undefined;
      this.#looksLeft -= 1;
      this.#look();
    }, POLL_MS).unref();
  }

  #open(path: string | undefined): void {
    const { open, env, files, startedAt, isWired, onTrouble } = this.#parts;
    const since = startedAt - SLACK_NANOS;
    clearTimeout(this.#timer);
    const session = (this.#session = open({
      sources: [
        'cli',
        ...(path === undefined ? [] : (['transcript'] as const)),
        ...(isWired ? (['wire'] as const) : []),
      ],
    }));
    if (path !== undefined) {
      this.#tail = new TranscriptTail(path, { since, observe: (observation) => session.observe(observation) });
    } else if (files === 'many') this.#terminal = new TerminalTurns({ session, env, since, onTrouble });
    this.#follow(POLL_MS);
    for (const observation of this.#waiting.splice(0)) session.observe(observation);
    for (const request of this.#early.splice(0)) this.receive(request);
  }

  /** What has become long is read a portion at a time: others are waiting for this thread, a signal for `claude` among them. */
  #follow(ms: number): void {
    this.#timer = setTimeout(() => {
      const hasMore = this.#poll();
      this.#follow(hasMore ? 0 : POLL_MS);
    }, ms).unref();
  }

  #poll(): boolean {
    return this.#terminal?.poll() ?? this.#try((tail) => tail.poll()) ?? false;
  }

  #try<T>(read: (tail: TranscriptTail) => T): T | undefined {
    if (this.#tail === undefined) return undefined;
    try {
      return read(this.#tail);
    } catch (error) {
      // Whatever it was, it will not get better: telemetry goes on alone.
      this.#tail = undefined;
      this.#parts.onTrouble(error);
      return undefined;
    }
  }
}

function turnOfEvents(): Promise<void> {
  return new Promise((resolve) => {
    setImmediate(resolve);
  });
}
