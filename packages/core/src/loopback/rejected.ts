import type { RejectReason } from './thread-protocol.ts';

/** Thrown while a request is read; the receiver turns it into an answer and a count. */
export class Rejected extends Error {
  readonly reason: RejectReason;

  constructor(reason: RejectReason) {
    super(reason);
    this.reason = reason;
  }
}
