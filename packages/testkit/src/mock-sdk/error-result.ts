import { asArray, type JsonObject } from '../json.ts';

/** Messages after an error result that do not take it back. */
const NEUTRAL: ReadonlySet<unknown> = new Set(['session_writes_lost', 'plugin_install']);

/** Keeps the words of an error result as long as it is the last that was said: then the process fails with them. */
export class ErrorResult {
  #text: string | undefined;

  read(message: JsonObject): void {
    if (message['type'] === 'result') this.#text = textOf(message);
    else if (message['type'] !== 'system' || !NEUTRAL.has(message['subtype'])) this.#text = undefined;
  }

  /** What the iterator throws at the end. */
  get error(): Error | undefined {
    return this.#text === undefined ? undefined : new Error(`Claude Code returned an error result: ${this.#text}`);
  }
}

function textOf(result: JsonObject): string | undefined {
  if (result['is_error'] !== true) return undefined;
  if (result['subtype'] === 'success') return String(result['result']) || undefined;
  const words = asArray(result['errors']).map((error) => String(error).trim());
  return words.filter((word) => word !== '').join('; ') || undefined;
}

/** The result of a turn that the host has interrupted. */
export function interruptedResult(result: JsonObject): JsonObject {
  return {
    ...result,
    subtype: 'error_during_execution',
    is_error: true,
    terminal_reason: 'aborted_streaming',
    errors: ['[Request interrupted by user]'],
  };
}
