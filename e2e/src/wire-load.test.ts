import { once } from 'node:events';
import { Agent, createServer, request as post, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { otlpSink } from '@spanprism/claude-otlp';
import { createSessions } from '@spanprism/core/sessions';
import { childWire } from '@spanprism/core/wire';
import { startCollector } from '@spanprism/testkit';
import { expect, test } from 'vitest';

const REQUESTS = 10_000;
const LANES = 16;

function streamOf(number: number): string {
  const events = [
    {
      type: 'message_start',
      message: { id: `msg_${number}`, model: 'model', usage: { input_tokens: 3, output_tokens: 1 } },
    },
    { type: 'content_block_start', index: 0, content_block: { type: 'text', text: '' } },
    { type: 'content_block_delta', index: 0, delta: { type: 'text_delta', text: `answer ${number}` } },
    // After this the agent asks on.
    { type: 'message_delta', delta: { stop_reason: 'max_tokens' }, usage: { output_tokens: number } },
    { type: 'message_stop' },
  ];
  return events.map((event) => `event: ${event.type}\ndata: ${JSON.stringify(event)}\n\n`).join('');
}

async function messagesApi(): Promise<Server> {
  let answered = 0;
  const server = createServer((request, response) => {
    request.resume();
    request.on('end', () => {
      answered += 1;
      response.writeHead(200, { 'content-type': 'text/event-stream', 'request-id': `req_${answered}` });
      response.end(streamOf(answered));
    });
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  return server;
}

function ask(url: string, agent: Agent, text: string): Promise<void> {
  return new Promise((resolve, reject) => {
    const sent = post(`${url}/v1/messages`, { method: 'POST', agent }, (response) => {
      response.resume();
      response.on('end', resolve);
      response.on('error', reject);
    });
    sent.on('error', reject);
    sent.end(JSON.stringify({ model: 'model', messages: [{ role: 'user', content: text }] }));
  });
}

test('of 10,000 requests every one arrives as a span, though the backend is down for a while', async () => {
  await using backend = await startCollector();
  const api = await messagesApi();
  const { port } = api.address() as AddressInfo;
  const warnings: string[] = [];
  const wire = await childWire({
    environment: { ANTHROPIC_BASE_URL: `http://127.0.0.1:${port}` },
    onLeftAlone: (reason) => void warnings.push(reason),
  });
  const sink = otlpSink({
    endpoint: backend.url,
    environment: {},
    metrics: false,
    capture: 'full',
    diag: () => undefined,
  });
  const sessions = createSessions({ sinks: [sink] });
  const session = sessions.open({ sources: ['cli', 'wire'] });
  wire?.listen((observation) => session.observe(observation));
  session.observe({ type: 'turn-start', id: 'turn', source: 'cli', at: BigInt(Date.now()) * 1_000_000n, turn: 0 });
  const agent = new Agent({ keepAlive: true, maxSockets: LANES });
  try {
    backend.behave({ kind: 'refuse' });
    let asked = 0;
    const lane = async (): Promise<void> => {
      while (asked < REQUESTS) {
        const number = asked++;
        await ask(wire?.additions['ANTHROPIC_BASE_URL'] ?? '', agent, `question ${number}`);
        if (number === REQUESTS / 2)
          backend.behave({ kind: 'status', status: 503, headers: { 'retry-after': '1' } }, { times: 1 });
      }
    };
    await Promise.all(Array.from({ length: LANES }, lane));
    await wire?.drained(30_000);
    session.end();
    backend.recover();
    await sessions.flush(60_000);
    expect(warnings).toEqual([]);
    expect(wire?.stats()).toMatchObject({ calls: REQUESTS, captured: REQUESTS, lost: 0, thinned: 0, late: 0 });
    const ids = backend.spans().flatMap(({ attributes }) => attributes['gen_ai.response.id'] ?? []);
    expect(ids).toHaveLength(REQUESTS);
    expect(new Set(ids).size).toBe(REQUESTS);
  } finally {
    agent.destroy();
    await sessions.close(1_000);
    await wire?.close();
    api.closeAllConnections();
    api.close();
  }
});
