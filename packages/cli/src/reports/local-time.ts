const NANOS_PER_MS = 1_000_000n;

/** `2026-11-21 15:40` in the zone of whoever reads it; with `seconds`, `2026-11-21 15:40:12`. */
export function localTime(time: bigint, { seconds = false }: { readonly seconds?: boolean } = {}): string {
  const date = new Date(Number(time / NANOS_PER_MS));
  const day = `${date.getFullYear()}-${two(date.getMonth() + 1)}-${two(date.getDate())}`;
  return `${day} ${two(date.getHours())}:${two(date.getMinutes())}${seconds ? `:${two(date.getSeconds())}` : ''}`;
}

function two(value: number): string {
  return String(value).padStart(2, '0');
}
