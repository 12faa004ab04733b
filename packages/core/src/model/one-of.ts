import { ConfigurationError } from './configuration-error.ts';

/** Throws a `ConfigurationError` unless an option of a user without TypeScript is one of these words. */
export function checkOneOf(option: string, value: unknown, words: readonly string[]): void {
  if (words.some((word) => word === value)) return;
  const shown = typeof value === 'string' ? JSON.stringify(value) : String(value);
  throw new ConfigurationError(
    'invalid_option',
    `${option} is ${shown} (from the options). Use ${words.join(' or ')}.`,
  );
}
