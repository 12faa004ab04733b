import type { IncomingMessage } from 'node:http';
import { gunzip } from 'node:zlib';
import { Rejected } from './rejected.ts';

/** Bounds of one request body, in bytes: as sent, and unpacked. */
export interface BodyLimits {
  readonly maxSentBytes: number;
  readonly maxUnpackedBytes: number;
}

type Unpack = (sent: Buffer, maxBytes: number) => Promise<Uint8Array>;

const UNPACK: ReadonlyMap<string, Unpack | undefined> = new Map([
  ['identity', undefined],
  ['gzip', unpackGzip],
]);

/** Does the work when it may be done. */
export type InTurn = <T>(work: () => Promise<T>) => Promise<T>;

/**
 * Reads and unpacks the body of a request; throws `Rejected` when it is too large, cut short or packed in another way than it says. What
 * is unpacked can be much larger than what was sent: `unpackInTurn` bounds how much of that is done at once.
 */
export async function readBody(
  request: IncomingMessage,
  limits: BodyLimits,
  unpackInTurn: InTurn = (work) => work(),
): Promise<Uint8Array> {
  const packed = request.headers['content-encoding']?.trim().toLowerCase() || 'identity';
  if (!UNPACK.has(packed)) throw new Rejected('wrong_content_encoding');
  // What announces itself as too large is refused before a byte of it is kept.
  if (Number(request.headers['content-length'] ?? 0) > limits.maxSentBytes) throw new Rejected('too_large');
  const sent = await readSent(request, limits.maxSentBytes);
  const unpack = UNPACK.get(packed);
  return unpack === undefined ? sent : unpackInTurn(() => unpack(sent, limits.maxUnpackedBytes));
}

function readSent(request: IncomingMessage, maxBytes: number): Promise<Buffer> {
  return new Promise((resolve, reject) => {
    const chunks: Buffer[] = [];
    let length = 0;
    request.on('data', (chunk: Buffer) => {
      length += chunk.length;
      if (length <= maxBytes) {
        chunks.push(chunk);
        return;
      }
      // The rest flows into nothing, so that the sender gets to read the answer.
      chunks.length = 0;
      reject(new Rejected('too_large'));
    });
    // Nearly all are of one piece.
    request.once('end', () => resolve(chunks.length === 1 ? (chunks[0] as Buffer) : Buffer.concat(chunks)));
    const abort = (): void => {
      if (!request.readableEnded) reject(new Rejected('aborted'));
    };
    request.once('error', abort);
    request.once('close', abort);
  });
}

function unpackGzip(sent: Buffer, maxBytes: number): Promise<Uint8Array> {
  return new Promise((resolve, reject) => {
    // Inflating stops at the bound: a bomb costs the bound, never what it promises.
    gunzip(sent, { maxOutputLength: maxBytes }, (error: NodeJS.ErrnoException | null, unpacked) => {
      if (error === null) resolve(unpacked);
      else reject(new Rejected(error.code === 'ERR_BUFFER_TOO_LARGE' ? 'too_large' : 'bad_gzip'));
    });
  });
}
