import net, { createServer, type Server, type Socket } from 'node:net';

/** Listens before there is anything that could serve: whoever connects meanwhile waits. */
export interface OpenPort {
  readonly port: number;
  /** Whether anybody has ever connected. */
  readonly wasUsed: boolean;
  /** Resolves when somebody connects for the first time. */
  readonly used: Promise<void>;
  /** Hands over those that wait and those to come. */
  serve(take: (socket: Socket) => void): void;
  /** Lets go of everybody who waits. */
  close(): void;
}

const MAX_CONNECTIONS = 512;

/**
 * A port on 127.0.0.1 at once. The HTTP server that will serve it takes longer to load than `claude` may be kept waiting, and much
 * longer than it takes to listen. Rejects where nothing can listen.
 */
export async function openPort(): Promise<OpenPort> {
  const server = createServer({ noDelay: true, pauseOnConnect: true });
  // Whoever else is on this machine may knock, but not use up our descriptors.
  server.maxConnections = MAX_CONNECTIONS;
  const waiting: Socket[] = [];
  let wasUsed = false;
  let use = (): void => undefined;
  const used = new Promise<void>((resolve) => {
    use = resolve;
  });
  let take = (socket: Socket): void => void waiting.push(socket);
  server.on('connection', (socket) => {
    wasUsed = true;
    use();
    // Of a child that is killed, the end of its connections may be an error.
    socket.on('error', () => undefined);
    take(socket);
  });
  const port = await listening(server);
  return {
    port,
    get wasUsed() {
      return wasUsed;
    },
    used,
    serve: (served) => {
      take = (socket) => {
        served(socket);
        socket.resume();
      };
      for (const socket of waiting.splice(0)) take(socket);
    },
    close: () => {
      server.close();
      take = (socket) => void socket.destroy();
      for (const socket of waiting) socket.destroy();
    },
  };
}

function listening(server: Server): Promise<number> {
  return new Promise((resolve, reject) => {
    server.once('error', reject);
    server.listen(boundHandle() ?? { port: 0, host: '127.0.0.1' }, () => {
      const address = server.address();
      if (typeof address === 'object' && address !== null) resolve(address.port);
      else reject(new Error('the port is not known'));
    });
  });
}

/**
 * What `listen` makes of an address, made by what it makes it with: it looks the address up before, and compiles an expression for those
 * of IPv6, which is 5 ms. Undefined where Node has no such thing, or it cannot be bound, which `listen` tells better.
 */
function boundHandle(): object | undefined {
  const create: unknown = Reflect.get(net, '_createServerHandle');
  if (typeof create !== 'function') return undefined;
  const handle: unknown = create('127.0.0.1', 0, 4);
  return typeof handle === 'object' && handle !== null ? handle : undefined;
}
