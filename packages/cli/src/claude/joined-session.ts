import type { Environment } from '@spanprism/core/child';
import type { Observation, OtlpRequest, Session, SessionEnd, SessionOptions } from '@spanprism/core/sessions';
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
 * What the CLI exports, joined with the transcript of the session. Which session it is, only exports tell, and that it is one, what an
 * agent at work brings about: whatever is told before waits for it.
 */
export class JoinedSession {
  readonly #parts: JoinedSessionParts;
  readonly #waiting: Observation[] = [];
  readonly #early: OtlpRequest[] = [];
  #session: Session | undefined;
  #tail: TranscriptTail | undefined;
  #sessionId: string | undefined;
  #looksLeft = LOOKS;
  #timer: ReturnType<typeof setTimeout> | undefined;

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
    this.#sessionId ??= workingSession(request);
    if (this.#sessionId === undefined) return;
    if (!this.#parts.hasTranscript) this.#open(undefined);
    else this.#look();
  }

  observe(observation: Observation): void {
    if (this.#session === undefined) this.#waiting.push(observation);
    else this.#session.observe(observation);
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
    this.#timer ??= setTimeout(() => {
      this.#timer = undefined;
      this.#looksLeft -= 1;
      this.#look();
    }, POLL_MS).unref();
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
      this.#follow(POLL_MS);
    }
    for (const observation of this.#waiting.splice(0)) session.observe(observation);
    for (const request of this.#early.splice(0)) this.receive(request);
  }

  /** What has become long is read a portion at a time: others are waiting for this thread, a signal for `claude` among them. */
  #follow(ms: number): void {
    this.#timer = setTimeout(() => {
      const hasMore = this.#poll();
      if (this.#tail !== undefined) this.#follow(hasMore ? 0 : POLL_MS);
    }, ms).unref();
  }

  #poll(): boolean {
    return this.#try((tail) => tail.poll()) ?? false;
  }

  #try<T>(read: (tail: TranscriptTail) => T): T | undefined {
    if (this.#tail === undefined) return undefined;
    try {
      return read(this.#tail);
    } catch (error) {
      // Whatever it was, it will not get better: telemetry goes on alone.
      this.#tail = undefined;
      clearTimeout(this.#timer);
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

const WORK: ReadonlySet<unknown> = new Set(['api_request', 'api_error', 'tool_result', 'llm_request', 'tool']);

/** The session of a prompt, a call or a tool. What the CLI answers itself, such as `/exit`, it tells of as a prompt with the name of a command. */
function workingSession(request: OtlpRequest): string | undefined {
  if (request.signal === 'metrics') return undefined;
  for (const { records } of request.groups) {
    for (const record of records) {
      const { 'event.name': event, command_name: command, 'session.id': id } = record.attributes;
      const name = event ?? ('name' in record ? record.name : record.eventName)?.replace('claude_code.', '');
      const isWork = WORK.has(name) || (name === 'user_prompt' && command === undefined);
      // It becomes part of a path.
      if (isWork && typeof id === 'string' && /^[\w-]+$/.test(id)) return id;
    }
  }
  return undefined;
}
