/** Why the body of an export request cannot be taken. */
export type BodyTrouble =
  | 'aborted'
  | 'bad_gzip'
  | 'malformed'
  | 'too_large'
  | 'wrong_content_encoding'
  | 'wrong_content_type';

/** Thrown while a request is read; a receiver turns it into an answer and a count. */
export class Rejected<Reason extends string = BodyTrouble> extends Error {
  readonly reason: Reason;

  constructor(reason: Reason) {
    super(reason);
    this.reason = reason;
  }
}

/** The HTTP status of a rejection, the gRPC code for OTLP's `Status` body, and the sentence in it (below 128 bytes of ASCII). */
export interface Rejection {
  readonly status: number;
  readonly code: number;
  readonly message: string;
}
