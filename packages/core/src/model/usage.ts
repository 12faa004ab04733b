/**
 * Tokens of one Messages API call, or a sum of such.
 * `inputTokens` includes cache reads and cache writes and `outputTokens` includes thinking, as OpenTelemetry defines them;
 * Anthropic's own `input_tokens` excludes both. A figure that is not known is absent, never 0.
 */
export interface Usage {
  readonly inputTokens?: number;
  readonly outputTokens?: number;
  readonly cacheReadTokens?: number;
  readonly cacheWriteTokens?: number;
  readonly cacheWrite5mTokens?: number;
  readonly cacheWrite1hTokens?: number;
  readonly thinkingTokens?: number;
}

/** Tokens and money of an interval, e.g. of one turn with everything that ran in it. */
export interface Totals {
  readonly usage: Usage;
  readonly costUsd?: number;
  readonly byModel?: Readonly<Record<string, { readonly usage: Usage; readonly costUsd?: number }>>;
}

/** Anthropic's exclusive form: `input` counts neither cache reads nor cache writes. */
export interface ExclusiveUsage {
  readonly input?: number | undefined;
  readonly output?: number | undefined;
  readonly cacheRead?: number | undefined;
  readonly cacheWrite?: number | undefined;
  readonly cacheWrite5m?: number | undefined;
  readonly cacheWrite1h?: number | undefined;
  readonly thinking?: number | undefined;
}

const FIELDS = [
  'inputTokens',
  'outputTokens',
  'cacheReadTokens',
  'cacheWriteTokens',
  'cacheWrite5mTokens',
  'cacheWrite1hTokens',
  'thinkingTokens',
] as const satisfies readonly (keyof Usage)[];

/** No process has come near; a gateway that says more is wrong, and would spoil every sum. */
const MOST_TOKENS = 1e12;
const MOST_USD = 1e6;

/**
 * The one place where Anthropic's exclusive input becomes the inclusive one. What can be no number of tokens (a fraction, below 0,
 * beyond 10^12) is not known, and neither is a sum that it is part of.
 */
export function usageFromExclusive(parts: ExclusiveUsage): Usage | undefined {
  const input = countOf(parts.input);
  const output = countOf(parts.output);
  const cacheRead = countOf(parts.cacheRead);
  const cacheWrite = countOf(parts.cacheWrite);
  const cacheWrite5m = countOf(parts.cacheWrite5m);
  const cacheWrite1h = countOf(parts.cacheWrite1h);
  const thinking = countOf(parts.thinking);
  const usage: { -readonly [K in keyof Usage]: Usage[K] } = {};
  if (input !== undefined && cacheRead === parts.cacheRead && cacheWrite === parts.cacheWrite)
    usage.inputTokens = input + (cacheRead ?? 0) + (cacheWrite ?? 0);
  if (output !== undefined) usage.outputTokens = output;
  if (cacheRead !== undefined) usage.cacheReadTokens = cacheRead;
  if (cacheWrite !== undefined) usage.cacheWriteTokens = cacheWrite;
  if (cacheWrite5m !== undefined) usage.cacheWrite5mTokens = cacheWrite5m;
  if (cacheWrite1h !== undefined) usage.cacheWrite1hTokens = cacheWrite1h;
  if (thinking !== undefined) usage.thinkingTokens = thinking;
  return Object.keys(usage).length === 0 ? undefined : usage;
}

function countOf(value: number | undefined): number | undefined {
  return value !== undefined && value >= 0 && value <= MOST_TOKENS && Number.isInteger(value) ? value : undefined;
}

/** US dollars as somebody else tells them; undefined when they can be no cost: below 0, or beyond a million. */
export function costOf(value: number | undefined): number | undefined {
  return value !== undefined && value >= 0 && value <= MOST_USD ? value : undefined;
}

/** Field by field; a field known on one side only keeps that side's value. */
export function addUsage(left: Usage, right: Usage): Usage {
  return combine(left, right, (a, b) => a + b);
}

/** Field by field; fields that `left` does not know stay unknown. */
export function subtractUsage(left: Usage, right: Usage): Usage {
  const difference: { -readonly [K in keyof Usage]: Usage[K] } = {};
  for (const field of FIELDS) {
    const value = left[field];
    if (value !== undefined) difference[field] = value - (right[field] ?? 0);
  }
  return difference;
}

/** True when every known figure is 0. */
export function isZeroUsage(usage: Usage): boolean {
  return FIELDS.every((field) => (usage[field] ?? 0) === 0);
}

/** True when a figure is below 0. */
export function isNegativeUsage(usage: Usage): boolean {
  return FIELDS.some((field) => (usage[field] ?? 0) < 0);
}

/** Names of the figures that both know and that differ. */
export function usageConflicts(left: Usage, right: Usage): readonly (keyof Usage)[] {
  return FIELDS.filter(
    (field) => left[field] !== undefined && right[field] !== undefined && left[field] !== right[field],
  );
}

/** `exact` where it knows a figure, else `other`. */
export function mergeUsage(exact: Usage | undefined, other: Usage | undefined): Usage | undefined {
  if (exact === undefined || other === undefined) return exact ?? other;
  return { ...other, ...exact };
}

function combine(left: Usage, right: Usage, join: (a: number, b: number) => number): Usage {
  const sum: { -readonly [K in keyof Usage]: Usage[K] } = {};
  for (const field of FIELDS) {
    const a = left[field];
    const b = right[field];
    if (a !== undefined && b !== undefined) sum[field] = join(a, b);
    else if (a !== undefined) sum[field] = a;
    else if (b !== undefined) sum[field] = b;
  }
  return sum;
}
