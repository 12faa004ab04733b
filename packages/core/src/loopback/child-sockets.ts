import type { Socket } from 'node:net';

interface Child {
  readonly sockets: Set<Socket>;
  busy: number;
  keepsAlive: boolean;
}

/**
 * Tells when the process behind a token is gone. The CLI keeps its exporter's connection open for as long as it lives (measured on
 * 2.1.329: also while idle, and closed within 15 ms of exit, SIGTERM and SIGKILL), so the close of its last one is its end. It is reported after the
 * last batch. Of a child that asks to close a connection after each request nothing is known, and nothing is reported.
 */
export class ChildSockets {
  readonly #children = new Map<string, Child>();
  readonly #onGone: (token: string) => void;

  constructor(onGone: (token: string) => void) {
    this.#onGone = onGone;
  }

  /** A request of `token` has begun on `socket`; the function returned must be called when it is settled. */
  enter(token: string, socket: Socket, keepsAlive: boolean): () => void {
    const child = this.#child(token);
    child.keepsAlive &&= keepsAlive;
    child.busy += 1;
    if (!child.sockets.has(socket)) {
      child.sockets.add(socket);
      socket.once('close', () => {
        child.sockets.delete(socket);
        this.#settle(token, child);
      });
    }
    return () => {
      child.busy -= 1;
      this.#settle(token, child);
    };
  }

  #child(token: string): Child {
    const known = this.#children.get(token);
    if (known !== undefined) return known;
    const child: Child = { sockets: new Set(), busy: 0, keepsAlive: true };
    this.#children.set(token, child);
    return child;
  }

  #settle(token: string, child: Child): void {
    if (child.busy > 0 || child.sockets.size > 0 || !child.keepsAlive) return;
    if (this.#children.get(token) !== child) return;
    this.#children.delete(token);
    this.#onGone(token);
  }
}
