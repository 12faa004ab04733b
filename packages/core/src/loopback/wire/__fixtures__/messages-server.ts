import { once } from 'node:events';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';

/** Answers by what the request's body has: a stream, or what the body asks for. */
export async function messagesServer(): Promise<{ readonly port: number; readonly asked: () => number } & AsyncDisposable> {
  let asked = 0;
  const server = createServer((request, response) => {
    const pieces: Buffer[] = [];
    request.on('data', (piece: Buffer) => void pieces.push(piece));
    request.on('error', () => undefined);
    request.on('end', () => {
      asked += 1;
      answer(response, { number: asked, request, body: Buffer.concat(pieces).toString() });
    });
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  return {
    port: (server.address() as AddressInfo).port,
    asked: () => asked,
    [Symbol.asyncDispose]: async () => {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}

interface Asked {
  readonly number: number;
  readonly request: IncomingMessage;
  readonly body: string;
}

export function streamOf(number: number): string {
  const events = [
    { type: 'message_start', message: { id: `msg_${number}`, model: 'model', usage: { input_tokens: 3, output_tokens: 1 } } },
    { type: 'content_block_start', index: 0, content_block: { type: 'text', text: '' } },
    { type: 'content_block_delta', index: 0, delta: { type: 'text_delta', text: 'Hello' } },
    { type: 'content_block_delta', index: 0, delta: { type: 'text_delta', text: ' you' } },
    { type: 'content_block_stop', index: 0 },
    { type: 'message_delta', delta: { stop_reason: 'end_turn' }, usage: { output_tokens: 7 } },
    { type: 'message_stop' },
  ];
  return events.map((event) => `event: ${event.type}\ndata: ${JSON.stringify(event)}\n\n`).join('');
}

function answer(response: ServerResponse, { number, body }: Asked): void {
  response.on('error', () => undefined);
  response.writeHead(200, { 'content-type': 'text/event-stream', 'request-id': `req_${number}` });
  // Whoever leaves early leaves a stream that goes on.
  if (body.includes('leave early')) response.write(streamOf(number).slice(0, 300));
  else response.end(streamOf(number));
}
