import type { Server, Socket } from 'node:net';

/** A server, not yet listening. */
export interface Door {
  readonly server: Server;
  /** Lets nobody in any more and waits for answers that are under way; after the deadline they are cut. */
  close(deadlineMs: number): Promise<void>;
}

/** How long a peer may take, in milliseconds; else nobody would notice who holds connections by being slow. */
export interface Patience {
  /** To say something at all, and to end the head of a request. */
  readonly headMs: number;
  /** To end a request. */
  readonly requestMs: number;
}

export const PATIENCE: Patience = { headMs: 10_000, requestMs: 60_000 };

export interface ConnectionLimits {
  readonly patience: Patience;
  /** Open at a time. Who comes when there are more is turned away at once. */
  readonly most: number;
  readonly onTurnedAway: () => void;
}

/** To say goodbye in; a peer may never do so. */
const FAREWELL_MS = 5_000;

/** The connections of a server: none is kept for a peer that does not speak, or does not leave, and none outlives the server. */
export class Connections {
  readonly #server: Server;
  readonly #silenceMs: number;
  readonly #open: Set<Socket> = new Set();

  constructor(server: Server, { patience, most, onTurnedAway }: ConnectionLimits) {
    this.#server = server;
    this.#silenceMs = patience.headMs;
    server.maxConnections = most;
    server.on('drop', onTurnedAway);
    server.on('connection', (socket) => this.#add(socket));
  }

  /** Resolves when all have left; those that have said nothing leave at once, those that are there after the deadline then. */
  end(deadlineMs: number): Promise<void> {
    return new Promise((resolve) => {
      const cut = setTimeout(() => this.#destroy(() => true), deadlineMs);
      this.#server.close(() => {
        clearTimeout(cut);
        resolve();
      });
      this.#destroy(isSilent);
    });
  }

  #destroy(which: (socket: Socket) => boolean): void {
    for (const socket of this.#open) if (which(socket)) socket.destroy();
  }

  #add(socket: Socket): void {
    this.#open.add(socket);
    const silence = setTimeout(() => {
      if (isSilent(socket)) socket.destroy();
    }, this.#silenceMs);
    socket.once('finish', () => void setTimeout(() => socket.destroy(), FAREWELL_MS).unref());
    socket.once('close', () => {
      clearTimeout(silence);
      this.#open.delete(socket);
    });
  }
}

const isSilent = ({ bytesRead }: Socket): boolean => bytesRead === 0;

/** Of each of the two servers: together they leave a fifth of the files that this process may open for its spool and its sinks. */
export function mostConnections(): number {
  return Math.floor(openFilesLimit() * 0.4);
}

function openFilesLimit(): number {
  const { userLimits } = process.report.getReport() as { userLimits?: { open_files?: { soft?: unknown } } };
  const soft = userLimits?.open_files?.soft;
  return typeof soft === 'number' ? soft : UNLIMITED;
}

const UNLIMITED = 1_000_000;
