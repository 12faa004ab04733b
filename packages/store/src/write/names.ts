import type { Database, Statement } from '../sqlite.ts';

/** Names as numbers: a span has up to six of them, of which a store knows a few hundred. Each is kept as long as a run that uses it. */
export class Names {
  readonly #find: Statement;
  readonly #add: Statement;
  readonly #use: Statement;
  readonly #dataVersion: Statement;
  readonly #ids: Map<string, number> = new Map();
  /** Of runs and names, those that are known to belong together, in this transaction and before. */
  #fresh: Set<number> = new Set();
  readonly #used: Set<number> = new Set();
  #seen = -1;

  constructor(database: Database) {
    this.#find = database.prepare('SELECT id FROM name WHERE text = ?');
    this.#add = database.prepare('INSERT INTO name (text) VALUES (?)');
    this.#use = database.prepare('INSERT INTO run_name (run, name) VALUES (?, ?) ON CONFLICT DO NOTHING');
    this.#dataVersion = database.prepare('PRAGMA data_version');
  }

  /** Called within the transaction: what another process has removed meanwhile is no longer known. */
  begin(): void {
    const { data_version } = this.#dataVersion.get() as { readonly data_version: number };
    if (data_version !== this.#seen) this.forget();
    this.#seen = data_version;
  }

  id(text: string): number;
  id(text: string | null): number | null;
  id(text: string | null): number | null {
    if (text === null) return null;
    return this.#ids.get(text) ?? this.#remember(text);
  }

  /** A run has this name somewhere. */
  use(run: number, name: number | null): void {
    if (name === null) return;
    const pair = pairOf(run, name);
    if (!this.#used.has(pair)) this.#fresh.add(pair);
  }

  save(): void {
    for (const pair of this.#fresh) this.#use.run(Math.floor(pair / MOST_NAMES), pair % MOST_NAMES);
    if (this.#used.size > MOST_REMEMBERED) this.#used.clear();
    for (const pair of this.#fresh) this.#used.add(pair);
    this.#fresh.clear();
  }

  /** After a rollback, what was added is not there; after others have removed some, they are not. */
  forget(): void {
    this.#ids.clear();
    this.#used.clear();
    this.#fresh.clear();
  }

  #remember(text: string): number {
    // Names of custom steps can be anything: what is remembered is bounded.
    if (this.#ids.size >= MOST_REMEMBERED) this.#ids.clear();
    const known = this.#find.get(text) as { readonly id: number } | undefined;
    const id = known?.id ?? Number(this.#add.run(text).lastInsertRowid);
    this.#ids.set(text, id);
    return id;
  }
}

const MOST_REMEMBERED = 10_000;
const MOST_NAMES = 0x1000000;

/** A number, as this is asked several times for each span: below 2^53 for 500 million runs with 16 million names. */
function pairOf(run: number, name: number): number {
  return run * MOST_NAMES + name;
}
