import { createServer } from 'node:http';
import { connect, type Socket } from 'node:net';
import { afterEach, expect, test } from 'vitest';
import { type OpenPort, openPort } from './open-port.ts';

let port: OpenPort | undefined;
afterEach(() => port?.close());

test('whoever connects before anything serves is served later, with what he has sent', async () => {
  port = await openPort();
  const before = fetch(`http://127.0.0.1:${port.port}/before`, { method: 'POST', body: 'words' });
  await until(() => port?.wasUsed === true);
  const server = createServer((request, response) => {
    request.resume().on('end', () => response.end(`${request.url}`));
  });
  port.serve((socket) => void server.emit('connection', socket));
  const after = fetch(`http://127.0.0.1:${port.port}/after`);
  expect(await (await before).text()).toBe('/before');
  expect(await (await after).text()).toBe('/after');
  server.closeAllConnections();
});

test('whoever waits when it closes is let go of', async () => {
  port = await openPort();
  expect(port.wasUsed).toBe(false);
  const socket: Socket = connect(port.port, '127.0.0.1');
  await port.used;
  expect(port.wasUsed).toBe(true);
  const closed = new Promise((resolve) => socket.once('close', resolve));
  port.close();
  await closed;
});

async function until(holds: () => boolean): Promise<void> {
  while (!holds()) await new Promise(setImmediate);
}
