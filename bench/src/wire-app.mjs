// The process of a user: his program, and one of the pass-throughs that capture what his agents say.
import { createServer } from 'node:net';

const { contender, upstream, sink, lanes } = JSON.parse(process.argv[2]);

/** Each starts and returns the base URL of each lane, and what has become of what passed. */
const CONTENDERS = { spanprism, laminar, neighbour };

async function spanprism() {
  const [{ startLoopback }, { startWire }, { WireSource }, { TurnsOfWire }, { createSessions }, { otlpSink }] =
    await Promise.all([
      import('../../packages/core/src/loopback/start-loopback.ts'),
      import('../../packages/core/src/loopback/wire/start-wire.ts'),
      import('../../packages/core/src/sources/wire/wire-source.ts'),
      import('../../packages/core/src/sources/wire/turns.ts'),
      import('../../packages/core/src/sessions.ts'),
      import('../../packages/claude-otlp/src/index.ts'),
    ]);
  const reader = startLoopback();
  const wire = startWire({ reader });
  await Promise.all([reader.ready(), wire.ready()]);
  const backend = otlpSink({ url: `${sink}/v1/traces`, capture: 'full', compression: 'none', diag: () => {} });
  const sessions = createSessions({ sinks: [backend] });
  const { hostname: host, port } = new URL(upstream);
  const urls = Array.from({ length: lanes }, () => {
    const session = sessions.open({ sources: ['wire'] });
    const observe = (observation) => session.observe(observation);
    const turns = new TurnsOfWire(observe);
    const source = new WireSource({ observe, onPassed: (exchange, passed) => turns.take(exchange, passed) });
    const route = wire.register({
      upstream: { host, port: Number(port), isTls: false, basePath: '' },
      exchange: (exchange) => source.receive(exchange),
    });
    return route.baseUrl();
  });
  const counts = () => {
    const { captured, lost, thinned } = wire.stats();
    return { captured, lost: lost + thinned, delivered: backend.stats().delivered };
  };
  return { urls, counts };
}

async function laminar() {
  const { ProxyServer } = await import('@lmnr-ai/claude-code-proxy');
  const port = await freePort();
  const proxy = new ProxyServer(port);
  proxy.runServer(upstream);
  const origin = `http://127.0.0.1:${port}`;
  await new Promise((resolve) => setTimeout(resolve, 500));
  const { randomUUID } = await import('node:crypto');
  await proxy.setCurrentTrace({ traceId: randomUUID(), spanId: randomUUID(), projectApiKey: 'none', laminarUrl: sink });
  return { urls: Array.from({ length: lanes }, () => origin), counts: () => ({}) };
}

/** Has nothing to do with it all, but to compute where it is asked to. */
async function neighbour() {
  return { urls: [], counts: () => ({}) };
}

function freePort() {
  return new Promise((resolve) => {
    const server = createServer().listen(0, '127.0.0.1', () => {
      const { port } = server.address();
      server.close(() => resolve(port));
    });
  });
}

const { urls, counts } = await CONTENDERS[contender]();
let blocking;
const ORDERS = {
  cpu: () => {
    const { user, system } = process.cpuUsage();
    return { cpuSeconds: (user + system) / 1e6, rss: process.memoryUsage.rss(), ...counts() };
  },
  // 200 of every 300 ms, as a program does that computes.
  block: () => {
    blocking = setInterval(() => {
      for (const until = performance.now() + 200; performance.now() < until; );
    }, 300);
    return {};
  },
  unblock: () => {
    clearInterval(blocking);
    return {};
  },
};
process.on('message', (order) => process.send(ORDERS[order]()));
process.on('disconnect', () => process.exit());
process.send({ urls });
