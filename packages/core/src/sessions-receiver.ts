import type { Server } from 'node:http';
import { createReceiver } from './loopback/receiver.ts';
import { decodeOtlp } from './otlp/decode/decode-otlp.ts';
import type { OtlpRequest, OtlpSignal } from './otlp/records.ts';

const MIB = 1024 * 1024;

/** What a child has sent, told apart by its content type; throws when it is neither protobuf nor JSON of that signal. */
export function decodeBatch(signal: OtlpSignal, contentType: string | undefined, body: Uint8Array): OtlpRequest {
  return decodeOtlp(signal, contentType?.includes('json') === true ? 'json' : 'protobuf', body);
}

export interface ChildReceiverParts {
  /** What the child's endpoints begin with: `/<token>/v1/traces`. */
  readonly token: string;
  readonly batch: (request: OtlpRequest) => void;
  /** Told why a request was refused. */
  readonly rejected?: (reason: string) => void;
}

/**
 * Takes the telemetry of one child in this very thread, for a program that has nothing else to do: an `http.Server` that listens
 * nowhere yet. It answers every request and throws nothing.
 */
export function childReceiver({ token, batch, rejected = () => undefined }: ChildReceiverParts): Server {
  return createReceiver({
    limits: { maxSentBytes: 32 * MIB, maxUnpackedBytes: 64 * MIB },
    decode: decodeOtlp,
    isAdmitted: (shown) => shown === token,
    // What is taken is dealt with at once: nothing waits.
    isFull: () => false,
    // After the answer: a child that ends waits for it.
    batch: ({ request }) => void setImmediate(batch, request),
    rejected,
    gone: () => undefined,
  });
}
