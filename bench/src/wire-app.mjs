// The process of a user: his program, and one of the pass-throughs that capture what his agents say.
import { createServer } from 'node:net';

const { contender, upstream, sink, lanes } = JSON.parse(process.argv[2]);

/** Each starts and returns the base URL of each lane, what it has captured, and whether its work is done. */
const CONTENDERS = { spanprism, laminar };

async function spanprism() {
  const [{ startLoopback }, { startWire }, { WireSource }, { createSessions }, { otlpSink }] = await Promise.all([
    import('../../packages/core/src/loopback/start-loopback.ts'),
    import('../../packages/core/src/loopback/wire/start-wire.ts'),
    import('../../packages/core/src/sources/wire/wire-source.ts'),
    import('../../packages/core/src/sessions.ts'),
    import('../../packages/claude-otlp/src/index.ts'),
  ]);
  const reader = startLoopback();
  const wire = startWire({ reader });
  await Promise.all([reader.ready(), wire.ready()]);
  const sessions = createSessions({
    sinks: [otlpSink({ url: `${sink}/v1/traces`, capture: 'full', compression: 'none', diag: () => {} })],
  });
  const { hostname: host, port } = new URL(upstream);
  const urls = Array.from({ length: lanes }, () => {
    const session = sessions.open({ sources: ['wire'] });
    const source = new WireSource({ observe: (observation) => session.observe(observation), isAlone: true });
    const route = wire.register({
      upstream: { host, port: Number(port), isTls: false, basePath: '' },
      exchange: (exchange) => source.receive(exchange),
    });
    return route.baseUrl();
  });
  return { urls, captured: () => wire.stats().captured, lost: () => wire.stats().lost + wire.stats().thinned };
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
  return { urls: Array.from({ length: lanes }, () => origin), captured: () => undefined, lost: () => undefined };
}

function freePort() {
  return new Promise((resolve) => {
    const server = createServer().listen(0, '127.0.0.1', () => {
      const { port } = server.address();
      server.close(() => resolve(port));
    });
  });
}

const { urls, captured, lost } = await CONTENDERS[contender]();
let blocking;
const ORDERS = {
  cpu: () => {
    const { user, system } = process.cpuUsage();
    return { cpuSeconds: (user + system) / 1e6, captured: captured(), lost: lost(), rss: process.memoryUsage.rss() };
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
