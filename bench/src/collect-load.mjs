// Sends runs to a receiver as fast as it takes them, in a process of its own: the parent sends `{ port, ms, connections }`, and is told
// what was taken. A run's requests follow one another; runs go side by side, each over a connection that stays open.
import { Agent, request } from 'node:http';
import { setTimeout as delay } from 'node:timers/promises';
import { endlessRuns } from './collect-bodies.mjs';

const next = endlessRuns();

process.on('message', async ({ port, ms, connections }) => {
  const agent = new Agent({ keepAlive: true, maxSockets: connections });
  const result = { requests: 0, records: 0, bytes: 0, refused: 0 };
  const start = performance.now();
  const until = start + ms;
  const send = async () => {
    while (performance.now() < until) for (const one of next()) await deliver({ agent, port }, one, result);
  };
  await Promise.all(Array.from({ length: connections }, send));
  agent.destroy();
  process.send({ ...result, ms: performance.now() - start });
});
process.send({ ready: true });

async function deliver(target, one, result) {
  for (;;) {
    const status = await post(target, one);
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

function post({ agent, port }, { path, body }) {
  return new Promise((resolve, reject) => {
    const headers = { 'content-type': 'application/x-protobuf', 'content-length': body.length };
    const sent = request({ agent, host: '127.0.0.1', port, path, method: 'POST', headers }, (response) => {
      response.resume();
      response.once('end', () => resolve(response.statusCode));
    });
    sent.once('error', reject);
    sent.end(body);
  });
}
