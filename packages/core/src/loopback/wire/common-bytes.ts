const BLOCK = 16_384;

/** How many bytes two buffers have in common at their beginning. Blocks are compared by the C library. */
export function commonPrefix(left: Buffer, right: Buffer): number {
  const length = Math.min(left.length, right.length);
  let at = 0;
  for (let size = BLOCK; at < length; ) {
    const end = Math.min(at + size, length);
    if (left.compare(right, at, end, at, end) === 0) at = end;
    else if (end - at === 1) return at;
    else size = Math.max(1, (end - at) >> 1);
  }
  return at;
}

/** The same for their ends; no more than `limit`. */
export function commonSuffix(left: Buffer, right: Buffer, limit: number): number {
  let found = 0;
  for (let size = BLOCK; found < limit; ) {
    const next = Math.min(found + size, limit);
    const [l, r] = [left.length, right.length];
    if (left.compare(right, r - next, r - found, l - next, l - found) === 0) found = next;
    else if (next - found === 1) return found;
    else size = Math.max(1, (next - found) >> 1);
  }
  return found;
}
