import zlib from 'node:zlib';

type Unpacker = (packed: Uint8Array) => Buffer;

/** A stream that was cut still has a beginning: what is there is unpacked, and no end is asked for. */
const { BROTLI_OPERATION_FLUSH, Z_SYNC_FLUSH } = zlib.constants;
const MAX_BYTES = 64 * 1024 * 1024;

const UNPACKERS: ReadonlyMap<string, Unpacker> = new Map<string, Unpacker>([
  ['gzip', (packed) => zlib.gunzipSync(packed, { finishFlush: Z_SYNC_FLUSH, maxOutputLength: MAX_BYTES })],
  ['deflate', (packed) => zlib.inflateSync(packed, { finishFlush: Z_SYNC_FLUSH, maxOutputLength: MAX_BYTES })],
  [
    'br',
    (packed) => zlib.brotliDecompressSync(packed, { finishFlush: BROTLI_OPERATION_FLUSH, maxOutputLength: MAX_BYTES }),
  ],
  ...zstd(),
]);

/** Node has zstd from 22.15 on. */
function zstd(): [string, Unpacker][] {
  const unpack = (zlib as Partial<typeof zlib>).zstdDecompressSync;
  const flush = (zlib.constants as Partial<Record<string, number>>)['ZSTD_e_flush'];
  if (unpack === undefined || flush === undefined) return [];
  return [['zstd', (packed) => unpack(packed, { finishFlush: flush, maxOutputLength: MAX_BYTES })]];
}

/** The bytes without their content coding; undefined when that is not known here or not what it says. */
export function unpack(bytes: Uint8Array, encoding: string | undefined): Buffer | undefined {
  const buffer = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const name = encoding?.trim().toLowerCase() ?? 'identity';
  if (name === 'identity' || name === '') return buffer;
  const unpacker = UNPACKERS.get(name);
  if (unpacker === undefined || bytes.length === 0) return undefined;
  try {
    return unpacker(buffer);
  } catch {
    return undefined;
  }
}
