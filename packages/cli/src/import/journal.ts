import { createHash } from 'node:crypto';
import { appendFileSync, mkdirSync, readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import type { Store } from '@spanprism/store';

/** What a place has already. Keys are those of spans: Anthropic's ids, whoever saw them. */
export interface Journal {
  /** Which of these span keys are there. */
  known(keys: readonly string[]): ReadonlySet<string>;
  /** Whether a call that is there came with an import; else it was traced while it happened. */
  isImported(sessionId: string, spanId: string): boolean;
  /** Whether spans of a turn that is there can be added to. */
  readonly takesMore: boolean;
  /** That turn was handed over. */
  add(turnKey: string): void;
  /** Everything that was handed over has arrived. */
  save(): void;
}

/** The store itself is the journal of what it holds. */
export function storeJournal(store: () => Store | undefined): Journal {
  let of: { readonly sessionId: string; readonly spanIds: ReadonlySet<string> } | undefined;
  return {
    takesMore: true,
    known: (keys) => store()?.knownKeys(keys) ?? new Set(),
    isImported: (sessionId, spanId) => {
      if (of?.sessionId !== sessionId) of = { sessionId, spanIds: spanIdsOf(store(), sessionId) };
      return of.spanIds.has(spanId);
    },
    add: () => undefined,
    save: () => (of = undefined),
  };
}

function spanIdsOf(store: Store | undefined, sessionId: string): ReadonlySet<string> {
  return new Set(store?.run(sessionId)?.spans.map((span) => span.spanId));
}

/** Elsewhere nobody can be asked: a file remembers what was sent there, one short hash per turn. */
export function fileJournal(path: string): Journal {
  const sent = new Set(linesOf(path));
  let added: string[] = [];
  return {
    takesMore: false,
    known: (keys) => new Set(keys.filter((key) => sent.has(hashOf(key)))),
    isImported: () => true,
    add: (turnKey) => void added.push(hashOf(turnKey)),
    save: () => {
      if (added.length === 0) return;
      mkdirSync(dirname(path), { recursive: true, mode: 0o700 });
      appendFileSync(path, `${added.join('\n')}\n`, { mode: 0o600 });
      for (const hash of added) sent.add(hash);
      added = [];
    },
  };
}

/** Beside the store: one file for each place, which its name tells without showing it. */
export function journalPath(storePath: string, place: string): string {
  return join(dirname(storePath), `imported-${hashOf(place)}.txt`);
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
