const PORT = 0;
const FAILED = -1;

/** The few numbers both threads must see without waiting for a message: readable while the other thread is blocked or already gone. */
export class SharedSlots<Name extends string> {
  readonly buffer: SharedArrayBuffer;
  readonly #slots: Int32Array<SharedArrayBuffer>;
  readonly #names: readonly Name[];

  /** A port, and a number of each name. Without a buffer of another's, all are new. */
  constructor(names: readonly Name[], buffer: SharedArrayBuffer = new SharedArrayBuffer(4 * (1 + names.length))) {
    this.#names = names;
    this.buffer = buffer;
    this.#slots = new Int32Array(buffer);
  }

  /** The port, or undefined while it is not known and after a failure. */
  get port(): number | undefined {
    const port = Atomics.load(this.#slots, PORT);
    return port > 0 ? port : undefined;
  }

  publishPort(port: number | undefined): void {
    Atomics.store(this.#slots, PORT, port ?? FAILED);
    Atomics.notify(this.#slots, PORT);
  }

  /** Blocks this thread until the port is known, the start has failed, or `limitMs` are over. */
  waitForPort(limitMs: number): void {
    Atomics.wait(this.#slots, PORT, 0, limitMs);
  }

  add(name: Name, by: number): void {
    Atomics.add(this.#slots, 1 + this.#names.indexOf(name), by);
  }

  read(name: Name): number {
    return Atomics.load(this.#slots, 1 + this.#names.indexOf(name));
  }
}
