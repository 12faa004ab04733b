import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import http from 'node:http';
import https from 'node:https';
import net, { type AddressInfo } from 'node:net';
import { join } from 'node:path';
import { langfuseSink } from '@spanprism/claude-langfuse';
import { otlpSink } from '@spanprism/claude-otlp';
import type { Sink } from '@spanprism/core';
import type { Environment } from '@spanprism/core/otlp';
import { makeProject, startCollector } from '@spanprism/testkit';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import type { Row } from './finding.ts';
import { type HttpWatch, watchHttp } from './http-watch.ts';
import type { Regions } from './regions.ts';
import { sinkRows } from './sink-check.ts';

let watch: HttpWatch;
const servers: net.Server[] = [];
beforeEach(() => {
  watch = watchHttp();
});
afterEach(async () => {
  watch[Symbol.dispose]();
  for (const server of servers.splice(0)) await new Promise((resolve) => server.close(resolve));
});

async function listening<S extends net.Server>(server: S): Promise<{ readonly server: S; readonly port: number }> {
  servers.push(server);
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return { server, port: (server.address() as AddressInfo).port };
}

/** A backend that answers as it is told. */
async function backend(answer: http.RequestListener): Promise<string> {
  const server = http.createServer((request, response) => {
    response.setHeader('connection', 'close');
    request.resume().on('end', () => answer(request, response));
  });
  return `http://127.0.0.1:${(await listening(server)).port}`;
}

const status =
  (code: number, headers: Record<string, string> = {}): http.RequestListener =>
  (_, response) =>
    void response.writeHead(code, headers).end('key sk-secret-key is not known');

interface Options {
  readonly env: Environment;
  readonly make?: (env: Environment) => Sink;
  readonly regions?: readonly Regions[];
  readonly limitMs?: number;
}

async function check({ env, make = (environment) => otlpSink({ environment }), ...rest }: Options): Promise<Row> {
  const where = `env ${Object.keys(env)[0]}`;
  const rows = await sinkRows({ sink: make(env), where, env, watch, ...rest });
  expect(rows).toHaveLength(1);
  expect(JSON.stringify(rows)).not.toContain('sk-secret-key');
  return rows[0]!;
}

const HEADERS = { OTEL_EXPORTER_OTLP_HEADERS: 'x-key=sk-secret-key' };
const at = (url: string): Environment => ({ OTEL_EXPORTER_OTLP_ENDPOINT: url, ...HEADERS });

test('a backend that takes the canary is fine, and has one span', async () => {
  const collector = await startCollector();
  const row = await check({ env: at(collector.url) });
  const spans = collector.spans();
  await collector.close();
  const detail = `${collector.url}/v1/traces took the canary (env OTEL_EXPORTER_OTLP_ENDPOINT)`;
  expect(row).toEqual({ check: 'sink otlp', status: 'ok', detail });
  expect(spans.map(({ name }) => name)).toEqual(['spanprism doctor']);
});

test('whatever share of the traces is kept, the canary is among it', async () => {
  const collector = await startCollector();
  const sampled = { OTEL_TRACES_SAMPLER: 'traceidratio', OTEL_TRACES_SAMPLER_ARG: '0.000001' };
  expect(await check({ env: { ...at(collector.url), ...sampled } })).toMatchObject({ status: 'ok' });
  await collector.close();
});

describe('answers that are none of success', () => {
  test.each<[number, string, Record<string, string>?]>([
    [401, 'key_refused'],
    [403, 'key_refused'],
    [404, 'not_found'],
    [405, 'not_found'],
    [400, 'payload_refused'],
    [415, 'payload_refused'],
    [429, 'rate_limited'],
    [500, 'backend_failing'],
    [503, 'backend_failing'],
    [302, 'redirected', { location: 'https://sign-in.example' }],
    [407, 'proxy_in_the_way'],
    [511, 'proxy_in_the_way'],
    [502, 'proxy_in_the_way', { 'proxy-authenticate': 'Basic' }],
    [503, 'proxy_in_the_way', { 'x-squid-error': 'ERR_CONNECT_FAIL 111' }],
    // As every load balancer has it.
    [401, 'key_refused', { via: '1.1 google' }],
    [200, 'not_found', { 'content-type': 'text/html; charset=utf-8' }],
  ])('%i: %s %j', async (code, expected, headers) => {
    const row = await check({ env: at(await backend(status(code, headers))) });
    expect(row).toMatchObject({ code: expected, where: 'env OTEL_EXPORTER_OTLP_ENDPOINT' });
  });

  test('a path that is not that of traces is named as what is missing', async () => {
    const collector = await startCollector();
    const row = await check({ env: { OTEL_EXPORTER_OTLP_TRACES_ENDPOINT: `${collector.url}/otlp` } });
    await collector.close();
    expect(row).toMatchObject({ code: 'missing_v1_traces', where: 'env OTEL_EXPORTER_OTLP_TRACES_ENDPOINT' });
  });

  test('a span that is rejected in a success is not one', async () => {
    const answer: http.RequestListener = (_, response) => {
      response.setHeader('content-type', 'application/json');
      response.end('{"partialSuccess":{"rejectedSpans":"1","errorMessage":"no such project"}}');
    };
    expect(await check({ env: at(await backend(answer)) })).toMatchObject({ code: 'undelivered' });
  });
});

describe('connections that do not come about', () => {
  test('a port on which nothing listens', async () => {
    const { server, port } = await listening(net.createServer());
    await new Promise((resolve) => server.close(resolve));
    servers.pop();
    const row = await check({ env: at(`http://127.0.0.1:${port}`) });
    expect(row).toMatchObject({
      code: 'connection_refused',
      what: `nothing listens at http://127.0.0.1:${port}/v1/traces`,
    });
  });

  test('a certificate that nobody here trusts', async () => {
    await using project = await makeProject({});
    const [key, certificate] = ['key.pem', 'cert.pem'].map((name) => join(project.cwd, name));
    const subject = ['-subj', '/CN=127.0.0.1', '-addext', 'subjectAltName=IP:127.0.0.1'];
    const parameters = ['req', '-x509', '-newkey', 'rsa:2048', '-nodes', '-days', '1', ...subject];
    execFileSync('openssl', [...parameters, '-keyout', key!, '-out', certificate!], { stdio: 'ignore' });
    const credentials = { key: readFileSync(key!), cert: readFileSync(certificate!) };
    const { port } = await listening(https.createServer(credentials, status(200)));
    const row = await check({ env: at(`https://127.0.0.1:${port}`) });
    expect(row).toMatchObject({ code: 'tls_failed', fix: expect.stringContaining('NODE_EXTRA_CA_CERTS') });
  });

  test('https where http is spoken', async () => {
    const plain = await backend(status(200));
    const row = await check({ env: at(plain.replace('http:', 'https:')) });
    expect(row).toMatchObject({ code: 'tls_failed', fix: expect.stringContaining('http://') });
  });

  test('a connection that is cut, as a gRPC port does', async () => {
    const { port } = await listening(net.createServer((socket) => socket.destroy()));
    expect(await check({ env: at(`http://127.0.0.1:${port}`) })).toMatchObject({ code: 'connection_cut' });
  });

  test('a host that there is not', async () => {
    expect(await check({ env: at('http://collector.invalid:4318') })).toMatchObject({ code: 'host_not_found' });
  });

  test('a backend that never answers is waited for a bounded time', async () => {
    const sockets: net.Socket[] = [];
    const { port } = await listening(net.createServer((socket) => void sockets.push(socket)));
    const row = await check({ env: at(`http://127.0.0.1:${port}`), limitMs: 200 });
    for (const socket of sockets) socket.destroy();
    expect(row).toMatchObject({ code: 'no_answer', what: `http://127.0.0.1:${port}/v1/traces does not answer` });
  });
});

describe('a backend that only the proxy reaches', () => {
  /** Makes tunnels to one host that nobody else knows. */
  async function proxy(known: string): Promise<string> {
    const server = http.createServer(status(405));
    server.on('connect', (request, socket) => {
      socket.end(request.url === known ? 'HTTP/1.1 200 OK\r\n\r\n' : 'HTTP/1.1 502 Bad Gateway\r\n\r\n');
    });
    return `http://127.0.0.1:${(await listening(server)).port}`;
  }
  const inside = 'http://collector.invalid:4318';

  test('is told with the variable that names the proxy', async () => {
    const row = await check({
      env: { ...at(inside), HTTP_PROXY: `${(await proxy('collector.invalid:4318')).replace('//', '//me:100%@')}` },
    });
    expect(row).toMatchObject({ code: 'proxy_in_the_way', what: expect.stringContaining('env HTTP_PROXY') });
  });

  test.each(['no.such:1', 'collector.invalid:4318'])(
    'is none if the proxy knows %s, or must not be asked',
    async (known) => {
      const env = { ...at(inside), HTTP_PROXY: await proxy(known), NO_PROXY: known === 'no.such:1' ? '' : '.invalid' };
      expect(await check({ env })).toMatchObject({ code: 'host_not_found' });
    },
  );
});

describe('regions', () => {
  const keys = { LANGFUSE_PUBLIC_KEY: 'pk-lf-1', LANGFUSE_SECRET_KEY: 'sk-lf-sk-secret-key' };
  const make = (env: Environment): Sink => langfuseSink({ env });
  const langfuse = (bases: Regions['bases']): readonly Regions[] => [
    { name: 'langfuse', variables: ['LANGFUSE_BASE_URL'], bases, make: async (env) => make(env) },
  ];

  test('a key of another region of the vendor is told, and how to go there', async () => {
    const [here, there] = [await backend(status(401)), await backend(status(200))];
    const regions = langfuse({ EU: here, US: there });
    const row = await check({ env: { ...keys, LANGFUSE_BASE_URL: here }, make, regions });
    expect(row).toMatchObject({
      code: 'wrong_region',
      what: `the key is of the region US, and ${here}/api/public/otel/v1/traces is another`,
      fix: `Set LANGFUSE_BASE_URL=${there}.`,
    });
  });

  test('a key that no region knows is a wrong key, and the sink says which to check', async () => {
    const [here, there] = [await backend(status(401)), await backend(status(401))];
    const regions = langfuse({ EU: here, US: there });
    const row = await check({ env: { ...keys, LANGFUSE_BASE_URL: here }, make, regions });
    expect(row).toMatchObject({ code: 'key_refused', fix: expect.stringContaining('LANGFUSE_PUBLIC_KEY') });
  });

  test('a server that is away is told in the words of its sink', async () => {
    const row = await check({ env: { ...keys, LANGFUSE_BASE_URL: 'http://127.0.0.1:1' }, make });
    const fix = 'Is Langfuse at http://127.0.0.1:1 (from env LANGFUSE_BASE_URL)?';
    expect(row).toMatchObject({ code: 'connection_refused', fix });
  });

  test('the key of a server of one’s own goes to no vendor', async () => {
    let asked = 0;
    const vendor = await backend((_, response) => {
      asked += 1;
      response.end();
    });
    const regions = langfuse({ EU: vendor });
    const own = await backend(status(401));
    const row = await check({ env: { ...keys, LANGFUSE_BASE_URL: own }, make, regions });
    expect([row, asked]).toMatchObject([{ code: 'key_refused' }, 0]);
  });
});
