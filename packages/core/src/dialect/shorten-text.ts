import { textBytes, truncateText } from '../model/truncate.ts';

/** Stands where the end of a text was cut off. */
const CUT = '…';
const CUT_BYTES = 3;
const LEAST_QUOTED_BYTES = 16;

/**
 * A text of at most `maxBytes` of UTF-8. JSON stays JSON: of a list the last items stay, as the latest messages are those that
 * one looks for, and if that is not enough the texts inside are cut. Whatever else is cut between characters.
 */
export function shortenText(text: string, maxBytes: number): string {
  if (text.length * 3 <= maxBytes || textBytes(text) <= maxBytes) return text;
  return shortenJson(text, maxBytes) ?? cutText(text, maxBytes);
}

function cutText(text: string, maxBytes: number): string {
  return maxBytes <= CUT_BYTES ? truncateText(text, maxBytes) : truncateText(text, maxBytes - CUT_BYTES) + CUT;
}

function shortenJson(text: string, maxBytes: number): string | undefined {
  if (!/^\s*[[{]/.test(text)) return undefined;
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    return undefined;
  }
  const shorter = Array.isArray(value) ? lastItems(value, maxBytes) : value;
  // What is between the texts is not counted here, so the texts get less and less until all of it fits.
  for (let each = maxBytes; each >= 1; ) {
    const json = JSON.stringify(shorter, (_, inner: unknown) => shortLeaf(inner, each));
    const bytes = textBytes(json);
    if (bytes <= maxBytes) return json;
    each = Math.floor(each * Math.min(0.9, maxBytes / bytes));
  }
  // Not its texts make it long: the beginning of it, as the one text of a JSON of its own.
  return maxBytes < LEAST_QUOTED_BYTES ? undefined : JSON.stringify(cutText(text, Math.floor(maxBytes / 2) - 2));
}

function shortLeaf(value: unknown, maxBytes: number): unknown {
  return typeof value === 'string' && value.length * 3 > maxBytes && textBytes(value) > maxBytes
    ? cutText(value, maxBytes)
    : value;
}

/** As many from the end as fit, at least one. */
function lastItems(items: readonly unknown[], maxBytes: number): readonly unknown[] {
  let bytes = 2;
  let first = items.length;
  while (first > 0) {
    bytes += textBytes(JSON.stringify(items[first - 1])) + 1;
    if (bytes > maxBytes + 1) break;
    first -= 1;
  }
  return items.slice(Math.min(first, items.length - 1));
}
