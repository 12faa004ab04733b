import { createHash } from 'node:crypto';
import { appendFileSync, readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { makeFolder } from '@spanprism/core/otlp';
import type { Store } from '@spanprism/store';

/** What a place has already. Keys are those of spans: Anthropic's ids, whoever saw them. */
export interface Journal {
  /** Which of these span keys are there. */
  known(keys: readonly string[]): ReadonlySet<string>;
  /** Whether a turn came, or began to come, by an import; what else is there was traced while it happened. */
  isImported(turnKey: string): boolean;
  /** Whether spans of a turn that is there can be added to. */
  readonly takesMore: boolean;
  /** The first span of that turn was handed over. */
  began(turnKey: string): void;
  /** And the last. */
  ended(turnKey: string): void;
  /** What was handed over is about to be delivered. */
  sending(): void;
  /** And has arrived. */
  arrived(): void;
}

/** The store can be asked what it holds. What came by imports is noted before it is written, so that one that is cut off is known again. */
export function storeJournal(store: () => Store | undefined, notes: string | undefined): Journal {
  const turns = new TurnFile(notes);
  return {
    takesMore: true,
    known: (keys) => store()?.knownKeys(keys) ?? new Set(),
    isImported: (turnKey) => turns.has(turnKey),
    began: (turnKey) => turns.add(turnKey),
    ended: () => undefined,
    sending: () => turns.write(),
    arrived: () => undefined,
  };
}

/** Elsewhere nobody can be asked: a file remembers what has arrived there. */
export function fileJournal(notes: string): Journal {
  const turns = new TurnFile(notes);
  return {
    takesMore: false,
    known: (keys) => new Set(keys.filter((key) => turns.has(key))),
    isImported: () => true,
    began: () => undefined,
    ended: (turnKey) => turns.add(turnKey),
    sending: () => undefined,
    arrived: () => turns.write(),
  };
}

/** Beside the store: one file for each place, which its name tells apart without showing it. */
export function journalPath(storePath: string, place: string): string {
  return join(dirname(storePath), `imported-${hashOf(place)}.txt`);
}

/** Turns by a short hash each, a line of a file that only grows. Without a path, they are forgotten. */
class TurnFile {
  readonly #path: string | undefined;
  readonly #hashes: Set<string>;
  #added: string[] = [];

  constructor(path: string | undefined) {
    this.#path = path;
    this.#hashes = new Set(path === undefined ? [] : linesOf(path));
  }

  has(turnKey: string): boolean {
    return this.#hashes.has(hashOf(turnKey));
  }

  add(turnKey: string): void {
    const hash = hashOf(turnKey);
    if (!this.#hashes.has(hash)) this.#added.push(hash);
  }

  write(): void {
    const added = this.#added;
    if (added.length === 0) return;
    this.#added = [];
    for (const hash of added) this.#hashes.add(hash);
    if (this.#path === undefined) return;
    makeFolder(dirname(this.#path));
    appendFileSync(this.#path, `${added.join('\n')}\n`, { mode: 0o600 });
  }
}

function linesOf(path: string): string[] {
  try {
    return readFileSync(path, 'utf8').split('\n');
  } catch {
    return [];
  }
}

function hashOf(text: string): string {
  return createHash('sha256').update(text).digest('base64url').slice(0, 16);
}
