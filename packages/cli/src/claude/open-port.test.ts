import { createServer } from 'node:http';
import net, { connect, type Socket } from 'node:net';
import { afterEach, expect, onTestFinished, test } from 'vitest';
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

test.each([
  ['its handle', Reflect.get(net, '_createServerHandle') as unknown],
  ['nothing', undefined],
  ['the number of an error', () => -98],
])('with %s of Node it listens on 127.0.0.1, and nowhere else', async (_, create) => {
  const own: unknown = Reflect.get(net, '_createServerHandle');
  onTestFinished(() => void Reflect.set(net, '_createServerHandle', own));
  Reflect.set(net, '_createServerHandle', create);
  port = await openPort();
  const reached = (host: string): Promise<boolean> =>
    new Promise((resolve) => {
      const socket = connect(port?.port ?? 0, host);
      socket.once('connect', () => resolve(true)).once('error', () => resolve(false));
      onTestFinished(() => void socket.destroy());
    });
  expect(await reached('127.0.0.1')).toBe(true);
  expect(await reached('127.0.0.2')).toBe(false);
});

async function until(holds: () => boolean): Promise<void> {
  while (!holds()) await new Promise(setImmediate);
}
