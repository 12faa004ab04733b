import { wrongValue } from './wrong-value.ts';

/** Environment variables, `process.env` or the like. */
export type Environment = Readonly<Record<string, string | undefined>>;

/** A value and where it came from, for messages about it. */
export interface Sourced<T> {
  readonly value: T;
  readonly from: string;
}

/** The first of these variables that is set. Set to nothing counts as not set, as OpenTelemetry has it. */
export function readText(environment: Environment, ...names: readonly string[]): Sourced<string> | undefined {
  for (const name of names) {
    const value = environment[name]?.trim();
    if (value !== undefined && value !== '') return { value, from: `env ${name}` };
  }
  return undefined;
}

/** What the option says, else the first of these variables that is set. */
export function readOption<K extends string>(
  options: { readonly [P in K]?: string | undefined },
  option: K,
  { environment, variables }: { readonly environment: Environment; readonly variables: readonly string[] },
): Sourced<string> | undefined {
  const value = options[option];
  return value === undefined ? readText(environment, ...variables) : { value, from: `the option ${option}` };
}

export function readFlag(environment: Environment, name: string): boolean {
  return readText(environment, name)?.value.toLowerCase() === 'true';
}

/** A whole number of milliseconds, above 0. */
export function readMs(environment: Environment, ...names: readonly string[]): number | undefined {
  const text = readText(environment, ...names);
  if (text === undefined) return undefined;
  const ms = Number(text.value);
  if (Number.isInteger(ms) && ms > 0) return ms;
  const fix = 'Give a whole number of milliseconds above 0, e.g. 10000.';
  throw wrongValue(`"${text.value}" is no time`, { from: text.from, fix });
}

/** One of a table's words, compared without case. */
export function pick<T extends string>(text: Sourced<string>, words: readonly T[], what: string): T {
  const word = words.find((candidate) => candidate === text.value.toLowerCase());
  if (word !== undefined) return word;
  throw wrongValue(`"${text.value}" is no ${what}`, { from: text.from, fix: `Use ${listed(words)}.` });
}

/** `key=value,key2=value2` with percent-encoded values, as headers and resource attributes are written. Values are never shown. */
export function readPairs(environment: Environment, name: string): Readonly<Record<string, string>> {
  const text = readText(environment, name);
  if (text === undefined) return {};
  const pairs: Record<string, string> = {};
  text.value.split(',').forEach((entry, index) => {
    if (entry.trim() === '') return;
    const [key, value] = readPair(entry, { from: text.from, position: index + 1 });
    pairs[key] = value;
  });
  return pairs;
}

function readPair(
  entry: string,
  where: { readonly from: string; readonly position: number },
): readonly [string, string] {
  const equals = entry.indexOf('=');
  const key = entry.slice(0, Math.max(0, equals)).trim();
  const problem = `entry ${where.position} of the list`;
  const { from } = where;
  if (key === '') {
    const fix = 'Write key=value pairs with commas in between; a comma within a value is written %2C.';
    throw wrongValue(`${problem} is no key=value pair`, { from, fix });
  }
  try {
    return [decodeURIComponent(key), decodeURIComponent(entry.slice(equals + 1).trim())];
  } catch {
    const fix = 'Values are percent-encoded: write a percent sign as %25.';
    throw wrongValue(`${problem} ("${key}") has a percent sign that encodes nothing`, { from, fix });
  }
}

export function listed(words: readonly string[]): string {
  return `${words.slice(0, -1).join(', ')} or ${words.at(-1) ?? ''}`;
}
