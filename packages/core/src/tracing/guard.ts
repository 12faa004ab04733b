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
      this.#count(what, error);
      return undefined;
    }
  }

  /** The same for what may turn out to be asynchronous: a rejection that nobody awaits would end the program. */
  runDetached(what: string, run: () => unknown): unknown {
    const result = this.run(what, run);
    if (result instanceof Promise) result.catch((error: unknown) => this.#count(what, error));
    return result;
  }

  #count(what: string, error: unknown): void {
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

function describe(error: unknown): string {
  return error instanceof Error ? `${error.name}: ${error.message}` : typeof error;
}
