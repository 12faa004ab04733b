import { createServer, request } from 'node:http';
import type { AddressInfo } from 'node:net';

/** A gateway before the Messages API that takes the `request-id` away, as some do. */
export async function withoutRequestIds(target: string): Promise<{ readonly url: string } & AsyncDisposable> {
  const server = createServer((incoming, response) => {
    const { method, url, headers } = incoming;
    const forwarded = request(`${target}${url}`, { method, headers }, (answer) => {
      const { 'request-id': _, ...kept } = answer.headers;
      response.writeHead(answer.statusCode ?? 502, kept);
      answer.pipe(response);
    });
    forwarded.on('error', () => response.destroy());
    incoming.pipe(forwarded);
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo;
  return {
    url: `http://127.0.0.1:${port}`,
    [Symbol.asyncDispose]: async () => {
      server.closeAllConnections();
      await new Promise<void>((resolve) => server.close(() => resolve()));
    },
  };
}
