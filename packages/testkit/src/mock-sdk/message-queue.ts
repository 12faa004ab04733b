import type { JsonObject } from '../json.ts';

/** What the child has said and the consumer has not read. As in the SDK it takes everything at once, read or not. */
export class MessageQueue {
  #waiting: JsonObject[] = [];
  #wake: (() => void) | undefined;
  #end: { readonly error?: Error } | undefined;

  put(message: JsonObject): void {
    if (this.#end !== undefined) return;
    this.#waiting.push(message);
    this.#wake?.();
  }

  /** Nothing more comes; what was put before is still read. The first end counts. */
  end(error?: Error): void {
    this.#end ??= error === undefined ? {} : { error };
    this.#wake?.();
  }

  async *read(): AsyncGenerator<JsonObject, void> {
    for (;;) {
      const messages = this.#waiting;
      this.#waiting = [];
      yield* messages;
      if (this.#waiting.length > 0) continue;
      if (this.#end?.error !== undefined) throw this.#end.error;
      if (this.#end !== undefined) return;
      await new Promise<void>((resolve) => {
        this.#wake = resolve;
      });
    }
  }
}
