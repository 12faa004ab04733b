import type { Server } from 'node:http';
import { createReceiver } from './loopback/receiver.ts';
import { decodeOtlp } from './otlp/decode/decode-otlp.ts';
import { decodeOrReject } from './otlp/receive/exchange.ts';
import { Rejected } from './otlp/receive/rejected.ts';
import type { OtlpRequest, OtlpSignal } from './otlp/records.ts';

const MIB = 1024 * 1024;

/** What a child has sent, told apart by its content type; throws when it is neither protobuf nor JSON of that signal. */
export function decodeBatch(signal: OtlpSignal, contentType: string | undefined, body: Uint8Array): OtlpRequest {
  return decodeOtlp(signal, contentType?.includes('json') === true ? 'json' : 'protobuf', body);
}

/** An export that has been answered and not been read yet. What it says; undefined, and told as refused, when it is no OTLP. */
export type Unread = () => OtlpRequest | undefined;

export interface ChildReceiverParts {
  /** What the child's endpoints begin with: `/<token>/v1/traces`. */
  readonly token: string;
  /** Called before the answer: whatever it does, a child waits for. */
  readonly batch: (unread: Unread) => void;
  /** Told why a request was refused. */
  readonly rejected?: (reason: string) => void;
}

/**
 * Takes the telemetry of one child in this very thread, for a program that has nothing else to do: an `http.Server` that listens
 * nowhere yet. It answers every request, and reads none before: a child that ends waits for each answer. It throws nothing.
 */
export function childReceiver({ token, batch, rejected = () => undefined }: ChildReceiverParts): Server {
  return createReceiver<Unread>({
    limits: { maxSentBytes: 32 * MIB, maxUnpackedBytes: 64 * MIB },
    decode: (signal, encoding, body) => () => {
      try {
        return decodeOrReject(() => decodeOtlp(signal, encoding, body));
      } catch (error) {
        rejected(error instanceof Rejected ? error.reason : 'internal');
        return undefined;
      }
    },
    isAdmitted: (shown) => shown === token,
    // What is taken is dealt with at once: nothing waits.
    isFull: () => false,
    batch: ({ request }) => batch(request),
    rejected,
    gone: () => undefined,
  });
}
