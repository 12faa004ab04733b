import type { Database, Statement } from '../sqlite.ts';

/** Names as numbers: a span has up to six of them, of which a store knows a few hundred. */
export class Names {
  readonly #find: Statement;
  readonly #add: Statement;
  readonly #ids: Map<string, number> = new Map();

  constructor(database: Database) {
    this.#find = database.prepare('SELECT id FROM name WHERE text = ?');
    this.#add = database.prepare('INSERT INTO name (text) VALUES (?)');
  }

  id(text: string): number;
  id(text: string | null): number | null;
  id(text: string | null): number | null {
    if (text === null) return null;
    return this.#ids.get(text) ?? this.#remember(text);
  }

  /** After a rollback: what was added is not there. */
  forget(): void {
    this.#ids.clear();
  }

  #remember(text: string): number {
    // Names of custom steps can be anything: what is remembered is bounded.
    if (this.#ids.size >= 10_000) this.#ids.clear();
    const known = this.#find.get(text) as { readonly id: number } | undefined;
    const id = known?.id ?? Number(this.#add.run(text).lastInsertRowid);
    this.#ids.set(text, id);
    return id;
  }
}
