import type { Sourced } from './environment.ts';
import { wrongValue } from './wrong-value.ts';

const HEADER_NAME = /^[!#$%&'*+\-.^_`|~0-9A-Za-z]+$/;

/** Throws a `ConfigurationError` on what no request can carry. Values are never shown: they are keys. */
export function checkHeader(name: string, { value, from }: Sourced<string>): void {
  if (!HEADER_NAME.test(name)) {
    const fix = 'Header names are letters, digits and dashes.';
    throw wrongValue(`"${name}" is no header name`, { from, fix });
  }
  if (/[^\t\x20-\x7e\x80-\xff]/.test(value)) {
    const fix = 'Look for a line break or another invisible character, often pasted along with a key.';
    throw wrongValue(`the value of header "${name}" has a character that no header may have`, { from, fix });
  }
}
