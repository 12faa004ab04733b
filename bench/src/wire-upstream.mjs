// A Messages API in a process of its own: reads the request, then streams as many deltas as the path says, each with the time at which it was sent.
import { createServer } from 'node:http';

const { hrtime } = process;
const PIECE = 'a piece of an answer, as long as most are';

const server = createServer({ noDelay: true, keepAlive: true }, (request, response) => {
  const [, deltas, everyMs] = /\/deltas\/(\d+)\/(\d+)\//.exec(request.headers['x-bench'] ?? '') ?? [];
  request.on('data', () => {});
  request.on('end', () => void answer(response, Number(deltas), Number(everyMs)));
});
let answered = 0;

async function answer(response, deltas, everyMs) {
  answered++;
  response.writeHead(200, { 'content-type': 'text/event-stream; charset=utf-8', 'request-id': `req_${answered}` });
  const message = {
    id: `msg_${answered}`,
    type: 'message',
    role: 'assistant',
    model: 'claude-sonnet-4-5',
    content: [],
  };
  send(response, 'message_start', { message: { ...message, usage: { input_tokens: 9, output_tokens: 1 } } });
  send(response, 'content_block_start', { index: 0, content_block: { type: 'text', text: '' } });
  for (let index = 0; index < deltas; index++) {
    // Words alone where nobody asks for times: an answer has no digits in every line.
    const text = everyMs > 0 ? `${PIECE} @${hrtime.bigint()}@ ` : `${PIECE} and then some `;
    send(response, 'content_block_delta', { index: 0, delta: { type: 'text_delta', text } });
    if (everyMs > 0) await new Promise((resolve) => setTimeout(resolve, everyMs));
  }
  send(response, 'content_block_stop', { index: 0 });
  // After this the agent asks on: one turn of many calls, as they are.
  send(response, 'message_delta', { delta: { stop_reason: 'max_tokens' }, usage: { output_tokens: deltas } });
  send(response, 'message_stop', {});
  response.end();
}

function send(response, type, data) {
  response.write(`event: ${type}\ndata: ${JSON.stringify({ type, ...data })}\n\n`);
}

server.listen(0, '127.0.0.1', () => process.send({ origin: `http://127.0.0.1:${server.address().port}` }));
process.on('disconnect', () => process.exit());
