import { DeliveryError } from './delivery-options.ts';
import type { Lost } from './flushes.ts';
import { shownUrl } from './masking.ts';
import type { Answer } from './postman.ts';
import { fixFor } from './verdict.ts';

export interface TroubleParts {
  readonly name: string;
  readonly url: URL;
  readonly fixes?: Readonly<Record<string, string>>;
}

/** What is wrong with an endpoint, in a sentence with the fix. */
export class Trouble {
  /** The last request failed, and it has been told how. */
  #isCurrent = false;
  readonly #parts: TroubleParts;
  #text = '';
  /** The failure of the last flush, which may be told by whoever waited for it. */
  #explained: DeliveryError | undefined;

  constructor(parts: TroubleParts) {
    this.#parts = parts;
  }

  /** Diagnostics know that not all arrives. */
  get isTold(): boolean {
    return this.#isCurrent || this.#explained?.isTold === true;
  }

  end(): void {
    this.#isCurrent = false;
    this.#explained = undefined;
  }

  /** The last of them; empty if there has been none. */
  get text(): string {
    return this.#text;
  }

  note({ text, cause }: Pick<Answer, 'text' | 'cause'>): string {
    const { url, fixes } = this.#parts;
    this.#text = `${shownUrl(url)} ${text}. ${fixFor(cause, fixes)}`.trim();
    return this.#text;
  }

  fail(answer: Pick<Answer, 'text' | 'cause'>): string {
    this.#isCurrent = true;
    return this.note(answer);
  }

  explain({ count, open }: Lost, hasSpool: boolean): DeliveryError {
    const { name, url } = this.#parts;
    // What was given up has been told, and so has what the rest is held back by.
    const isTold = this.#isCurrent || open === 0;
    const why = isTold && this.#text !== '' ? this.#text : `${shownUrl(url)} did not answer in time.`;
    const inSpool = hasSpool && open > 0 ? ' What is still undelivered can be found in the spool.' : '';
    this.#explained = new DeliveryError(`${name}: ${count} records not delivered: ${why}${inSpool}`, isTold);
    return this.#explained;
  }
}
