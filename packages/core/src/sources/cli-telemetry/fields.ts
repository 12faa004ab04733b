import { unixNanoFromMs } from '../../model/time.ts';
import { truncateText } from '../../model/truncate.ts';
import type { ExclusiveUsage } from '../../model/usage.ts';
import type { OtlpValue } from '../../otlp/records.ts';
import type { TelemetryAttributes } from './telemetry.ts';

/** A year. */
const LONGEST_MS = 366 * 86_400_000;

/** Log records carry many numbers as strings; spans carry them as numbers. */
export function numberOf(value: OtlpValue | undefined): number | undefined {
  if (typeof value === 'string' ? value === '' : typeof value !== 'number' && typeof value !== 'bigint')
    return undefined;
  const parsed = Number(value);
  return Number.isFinite(parsed) ? parsed : undefined;
}

/** Longer than any name that capture keeps, which says of a span what it has cut. UTF-8 bytes. */
const LONGEST_NAME_BYTES = 4_096;

/** An id or a name: many of them are remembered, so none may be of any length. */
export function stringOf(value: OtlpValue | undefined): string | undefined {
  const text = textOf(value);
  // No UTF-16 unit takes more than three bytes.
  return text === undefined || text.length * 3 <= LONGEST_NAME_BYTES ? text : truncateText(text, LONGEST_NAME_BYTES);
}

/** Words of any length. */
export function textOf(value: OtlpValue | undefined): string | undefined {
  return typeof value === 'string' && value !== '' ? value : undefined;
}

export function booleanOf(value: OtlpValue | undefined): boolean | undefined {
  if (typeof value === 'boolean') return value;
  if (value === 'true') return true;
  return value === 'false' ? false : undefined;
}

/** The CLI writes this where its content switches are off. */
export function contentOf(value: OtlpValue | undefined): string | undefined {
  const text = textOf(value);
  return text === '<REDACTED>' ? undefined : text;
}

/** Nothing starts after its end, whatever a damaged record says. */
export function startOf({ startedAt, endedAt }: { readonly startedAt: bigint; readonly endedAt: bigint }): bigint {
  return startedAt > endedAt ? endedAt : startedAt;
}

/** A time span in nanoseconds from milliseconds; undefined where it is none that anything could have lasted. */
export function nanosOf(value: OtlpValue | undefined): bigint | undefined {
  const ms = numberOf(value);
  return ms === undefined || ms < 0 || ms > LONGEST_MS ? undefined : unixNanoFromMs(ms);
}

/** When something began that lasted so long. */
export function startBefore(endedAt: bigint, lasted: bigint | undefined): bigint | undefined {
  return lasted === undefined || lasted > endedAt ? undefined : endedAt - lasted;
}

/** JSON in a string; the string itself when it is none. */
export function jsonOf(value: OtlpValue | undefined): unknown {
  const text = contentOf(value);
  if (text === undefined) return undefined;
  try {
    return JSON.parse(text);
  } catch {
    return text;
  }
}

/** Token counts under the CLI's names; its `input_tokens` excludes the cache. */
export function usageParts(attributes: TelemetryAttributes): ExclusiveUsage {
  return {
    input: numberOf(attributes['input_tokens']),
    output: numberOf(attributes['output_tokens']),
    cacheRead: numberOf(attributes['cache_read_tokens']),
    cacheWrite: numberOf(attributes['cache_creation_tokens']),
    cacheWrite5m: numberOf(attributes['cache_creation_5m_tokens']),
    cacheWrite1h: numberOf(attributes['cache_creation_1h_tokens']),
  };
}
