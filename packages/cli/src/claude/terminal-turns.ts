import type { Environment } from '@spanprism/core/child';
import type { Observation, OtlpRequest, Session } from '@spanprism/core/sessions';
import { FileTurns } from './file-turns.ts';
import { findTranscript } from './find-transcript.ts';
import { promptsOf, splitAtPrompts } from './prompts.ts';
import { TranscriptTail } from './transcript-tail.ts';

export interface TerminalTurnsParts {
  readonly session: Session;
  readonly env: Environment;
  /** Rows from before are of other processes. Nanoseconds since 1970. */
  readonly since: bigint;
  /** Told what cannot be read. */
  readonly onTrouble: (error: unknown) => void;
}

interface SessionFile {
  readonly turns: FileTurns;
  tail: TranscriptTail | undefined;
  looksLeft: number;
}

/** What is told of has been written by then: the CLI writes rows within some tens of milliseconds, and exports when it has time. */
const BEHIND_MS = 250;
/** How often the file of a session is looked for after its first prompt. */
const LOOKS = 15;

/**
 * A session at a terminal, which goes from file to file as it is cleared, resumed or left for another. Telemetry tells which turns there
 * are and when they end; what their files hold of them is put into those that telemetry names, and the rest of the files left alone.
 */
export class TerminalTurns {
  readonly #parts: TerminalTurnsParts;
  readonly #files: Map<string, SessionFile> = new Map();
  readonly #waiting: { readonly request: OtlpRequest; readonly timer: ReturnType<typeof setTimeout> }[] = [];

  constructor(parts: TerminalTurnsParts) {
    this.#parts = parts;
  }

  receive(request: OtlpRequest): void {
    const timer = setTimeout(() => this.#tell(), BEHIND_MS).unref();
    this.#waiting.push({ request, timer });
  }

  /** Reads a portion of what the files have; true when there is more. */
  poll(): boolean {
    return [...this.#files].map(([id, file]) => this.#read(id, file)).some((hasMore) => hasMore);
  }

  /** Tells what waits, now. */
  end(): void {
    while (this.#waiting.length > 0) this.#tell();
  }

  /** The oldest that waits: prompts first, which name the turns, then what was written of these, then all else. */
  #tell(): void {
    const next = this.#waiting.shift();
    if (next === undefined) return;
    clearTimeout(next.timer);
    const { session } = this.#parts;
    const { prompts, others } = splitAtPrompts(next.request);
    if (prompts !== undefined) {
      session.receive(prompts);
      for (const { sessionId, messageId, hasText } of promptsOf(prompts)) {
        const turn = session.turnOf(messageId);
        if (turn !== undefined) this.#fileOf(sessionId).turns.named(messageId, { turn, hasText });
      }
    }
    this.poll();
    if (others !== undefined) session.receive(others);
  }

  #fileOf(sessionId: string): SessionFile {
    const observe = (observation: Observation): void => this.#parts.session.observe(observation);
    const known = this.#files.get(sessionId) ?? { turns: new FileTurns(observe), tail: undefined, looksLeft: LOOKS };
    this.#files.set(sessionId, known);
    return known;
  }

  #read(sessionId: string, file: SessionFile): boolean {
    const { env, since, onTrouble } = this.#parts;
    try {
      if (file.tail === undefined && file.looksLeft > 0) {
        file.looksLeft -= 1;
        const path = findTranscript(sessionId, env);
        if (path !== undefined)
          file.tail = new TranscriptTail(path, { since, observe: (observation) => file.turns.observe(observation) });
      }
      return file.tail?.poll() ?? false;
    } catch (error) {
      // Whatever it was, it will not get better: telemetry goes on alone.
      file.tail = undefined;
      file.looksLeft = 0;
      onTrouble(error);
      return false;
    }
  }
}
