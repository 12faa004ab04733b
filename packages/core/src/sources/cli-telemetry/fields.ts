import type { ExclusiveUsage } from '../../model/usage.ts';
import type { OtlpAttributes, OtlpValue } from '../../otlp/records.ts';

/** Log records carry many numbers as strings; spans carry them as numbers. */
export function numberOf(value: OtlpValue | undefined): number | undefined {
  if (typeof value === 'string' ? value === '' : typeof value !== 'number' && typeof value !== 'bigint')
    return undefined;
  const parsed = Number(value);
  return Number.isFinite(parsed) ? parsed : undefined;
}

export function stringOf(value: OtlpValue | undefined): string | undefined {
  return typeof value === 'string' && value !== '' ? value : undefined;
}

export function booleanOf(value: OtlpValue | undefined): boolean | undefined {
  if (typeof value === 'boolean') return value;
  if (value === 'true') return true;
  return value === 'false' ? false : undefined;
}

/** The CLI writes this where its content switches are off. */
export function contentOf(value: OtlpValue | undefined): string | undefined {
  const text = stringOf(value);
  return text === '<REDACTED>' ? undefined : text;
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
export function usageParts(attributes: OtlpAttributes): ExclusiveUsage {
  return {
    input: numberOf(attributes['input_tokens']),
    output: numberOf(attributes['output_tokens']),
    cacheRead: numberOf(attributes['cache_read_tokens']),
    cacheWrite: numberOf(attributes['cache_creation_tokens']),
    cacheWrite5m: numberOf(attributes['cache_creation_5m_tokens']),
    cacheWrite1h: numberOf(attributes['cache_creation_1h_tokens']),
  };
}
