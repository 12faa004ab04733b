// Stands for Claude Code: keeps its connections, sends conversations that grow by a message, reads streams.
import { Agent, request as post } from 'node:http';

const { hrtime } = process;
const SENT = /@(\d+)@/g;

/** A request of that many bytes: messages as a conversation has them, then instructions and tools. */
export function makeBodies(bytes) {
  const history = [];
  for (let size = 0; size < bytes; size += 2_000) {
    const role = history.length % 2 === 0 ? 'user' : 'assistant';
    history.push({
      role,
      content: [{ type: 'text', text: `${history.length} ${'words of a conversation. '.repeat(78)}` }],
    });
  }
  if (history.length % 2 === 0) history.pop();
  const rest = { system: [{ type: 'text', text: 'You are an agent.' }], tools: [], max_tokens: 32_000, stream: true };
  const model = 'claude-sonnet-4-5';
  let count = 0;
  return () => {
    const text = `question ${count++} ${'what is asked now. '.repeat(75)}`;
    const messages = [
      ...history,
      { role: 'assistant', content: 'Yes.' },
      { role: 'user', content: [{ type: 'text', text }] },
    ];
    return Buffer.from(JSON.stringify({ model, messages, ...rest }));
  };
}

/**
 * Sends `requests` in all, one after the other in each lane.
 * @returns milliseconds until the first byte and until the end of each, of chunks from their sending on, and of all together
 */
export async function drive({ urls, concurrency, requests, deltas, everyMs, bodies }) {
  const agent = new Agent({ keepAlive: true, maxSockets: concurrency, noDelay: true });
  const firsts = [];
  const totals = [];
  const chunks = [];
  let left = requests;
  const started = performance.now();
  const lane = async (url) => {
    while (left-- > 0) {
      const seen = await exchange({ url, agent, body: bodies(), bench: `/deltas/${deltas}/${everyMs}/` });
      firsts.push(seen.firstMs);
      totals.push(seen.totalMs);
      if (everyMs > 0) chunks.push(...seen.chunks);
    }
  };
  await Promise.all(urls.slice(0, concurrency).map(lane));
  const wallMs = performance.now() - started;
  agent.destroy();
  return { firsts, totals, chunks, perSecond: (1000 * requests) / wallMs };
}

function exchange({ url, agent, body, bench }) {
  return new Promise((resolve, reject) => {
    const started = performance.now();
    let firstMs;
    let isWhole = false;
    const chunks = [];
    const headers = {
      'content-type': 'application/json',
      'content-length': body.length,
      'x-api-key': 'sk-ant-dummy',
      'x-bench': bench,
      'x-claude-code-session-id': url,
    };
    const sent = post(`${url}/v1/messages?beta=true`, { method: 'POST', agent, headers }, (response) => {
      response.on('data', (bytes) => {
        const now = hrtime.bigint();
        firstMs ??= performance.now() - started;
        const text = bytes.latin1Slice();
        for (const [, at] of text.matchAll(SENT)) chunks.push(Number(now - BigInt(at)) / 1e6);
        isWhole ||= text.includes('message_stop');
      });
      response.on('end', () => {
        if (response.statusCode !== 200 || !isWhole) return reject(new Error(`${url} answered ${response.statusCode}`));
        resolve({ firstMs, totalMs: performance.now() - started, chunks });
      });
      response.on('error', reject);
    });
    sent.on('error', reject);
    sent.end(body);
  });
}
