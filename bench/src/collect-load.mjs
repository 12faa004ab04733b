// Sends runs to a receiver as fast as it takes them, in a process of its own: the parent sends `{ port, ms, connections }`, and is told
// what was taken. A run's requests follow one another; runs go side by side, each over a connection that stays open.
import { once } from 'node:events';
import { connect } from 'node:net';
import { setTimeout as delay } from 'node:timers/promises';
import { endlessRuns } from './collect-bodies.mjs';

const next = endlessRuns();

process.on('message', async ({ port, ms, connections }) => {
  const result = { requests: 0, records: 0, bytes: 0, refused: 0 };
  const start = performance.now();
  const until = start + ms;
  const send = async () => {
    const client = await Client.connect(port);
    while (performance.now() < until) for (const one of next()) await deliver(client, one, result);
    client.end();
  };
  await Promise.all(Array.from({ length: connections }, send));
  process.send({ ...result, ms: performance.now() - start });
});
process.send({ ready: true });

async function deliver(client, one, result) {
  for (;;) {
    const status = await client.post(one);
    if (status === 200) {
      result.requests += 1;
      result.records += one.records;
      result.bytes += one.body.length;
      return;
    }
    if (status !== 429) throw new Error(`answered ${status}`);
    result.refused += 1;
    await delay(20);
  }
}

/**
 * One request at a time over one connection. `node:http`'s own client takes nearly as much processor time as the servers that are measured,
 * and they have no other machine to themselves.
 */
class Client {
  #socket;
  #answered;
  #failed;
  #head = '';
  #bodyLeft = 0;

  static async connect(port) {
    const client = new Client();
    client.#socket = connect({ port, host: '127.0.0.1', noDelay: true });
    client.#socket.on('data', (chunk) => client.#read(chunk));
    client.#socket.on('close', () => client.#failed?.(new Error('the connection was closed')));
    await once(client.#socket, 'connect');
    return client;
  }

  /** Resolves to the status once the whole answer is there. */
  post({ path, body }) {
    const head = `POST ${path} HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Type: application/x-protobuf\r\nContent-Length: ${body.length}\r\n\r\n`;
    const request = Buffer.allocUnsafe(head.length + body.length);
    request.latin1Write(head, 0);
    request.set(body, head.length);
    this.#socket.write(request);
    return new Promise((resolve, reject) => {
      this.#answered = resolve;
      this.#failed = reject;
    });
  }

  end() {
    this.#failed = undefined;
    this.#socket.destroy();
  }

  #read(chunk) {
    if (this.#bodyLeft > 0) this.#bodyLeft -= chunk.length;
    else {
      this.#head += chunk.latin1Slice();
      const end = this.#head.indexOf('\r\n\r\n');
      if (end < 0) return;
      this.#bodyLeft = Number(/content-length: (\d+)/i.exec(this.#head)[1]) - (this.#head.length - end - 4);
    }
    if (this.#bodyLeft > 0) return;
    const status = Number(this.#head.slice(9, 12));
    this.#head = '';
    this.#answered(status);
  }
}
