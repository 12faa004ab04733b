import { ConfigurationError } from '../../model/configuration-error.ts';

/** Says what is wrong with a value (never a secret one), where it came from, and what to do. */
export function wrongValue(
  problem: string,
  { from, fix }: { readonly from: string; readonly fix: string },
): ConfigurationError {
  return new ConfigurationError('invalid_option', `${problem} (from ${from}). ${fix}`);
}
