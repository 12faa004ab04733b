import { scrubSecrets } from '../capture/secrets.ts';
import type { Diag } from '../model/sink.ts';

/** Runs pieces of ours within the user's program; what they throw is counted and told, and stays here. */
export class Guarded {
  readonly #diag: Diag;
  readonly #told: Set<string> = new Set();
  #caught = 0;

  constructor(diag: Diag) {
    this.#diag = diag;
  }

  get caught(): number {
    return this.#caught;
  }

  run<T>(what: string, run: () => T): T | undefined {
    try {
      return run();
    } catch (error) {
      this.caughtAt(what, error);
      return undefined;
    }
  }

  /** The same for what may turn out to be asynchronous: a rejection that nobody awaits would end the program. */
  runDetached(what: string, run: () => unknown): unknown {
    return this.detached(what, this.run(what, run));
  }

  /** Sees to the rejection of what has begun. */
  detached(what: string, begun: unknown): unknown {
    if (begun instanceof Promise) begun.catch((error: unknown) => this.caughtAt(what, error));
    return begun;
  }

  /** Counts and tells what was thrown. */
  caughtAt(what: string, error: unknown): void {
    this.#caught += 1;
    this.#tell(what, error);
  }

  /** One line per kind of fault: the tenth of the same says nothing new. */
  #tell(what: string, error: unknown): void {
    if (this.#told.has(what)) return;
    this.#told.add(what);
    try {
      this.#diag(
        'error',
        `${what} failed and was left out of the trace (further failures of it are counted only): ${describe(error)}`,
      );
    } catch {
      // A logger that throws has nobody left to tell.
    }
  }
}

const MAX_TOLD_CHARS = 200;

/**
 * Names the error and quotes the first line of its message, scrubbed and cut: what a sink throws may hold the content of its span,
 * which nobody allowed onto stderr.
 */
function describe(error: unknown): string {
  if (!(error instanceof Error)) return typeof error;
  const [firstLine = ''] = `${error.name}: ${error.message}`.split(/[\n\r\u2028\u2029]/, 1);
  // Scrubbed before the cut, which would make a key unrecognizable; what is far beyond it need not be looked at.
  const scrubbed = scrubSecrets(firstLine.slice(0, 20 * MAX_TOLD_CHARS));
  // \p{C}: control characters and whatever else a terminal might obey.
  return scrubbed.replace(/\p{C}+/gu, ' ').slice(0, MAX_TOLD_CHARS);
}
