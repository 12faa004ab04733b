import { spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { createServer as createHttpServer, type Server } from 'node:http';
import { createServer as createHttpsServer } from 'node:https';
import { type AddressInfo, connect, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { passThrough, request } from './__fixtures__/sockets.ts';
import { upstreamOf } from './upstream-of.ts';

const folder = mkdtempSync(join(tmpdir(), 'spanprism-tls-'));
const [key, cert] = [join(folder, 'key.pem'), join(folder, 'cert.pem')];
const made = spawnSync(
  'openssl',
  [
    ...['req', '-x509', '-newkey', 'rsa:2048', '-nodes', '-days', '2', '-subj', '/CN=localhost'],
    ...['-addext', 'subjectAltName=DNS:localhost,IP:127.0.0.1', '-keyout', key, '-out', cert],
  ],
  { stdio: 'ignore' },
);
const noTls = made.status === 0 ? undefined : 'openssl is not here';

const servers: Server[] = [];
let api: number;
let asked: string[] = [];

async function serving(server: Server, host = '127.0.0.1'): Promise<number> {
  servers.push(server);
  server.listen(0, host);
  await once(server, 'listening');
  return (server.address() as AddressInfo).port;
}

beforeAll(async () => {
  if (noTls !== undefined) return;
  const server = createHttpsServer({ key: readFileSync(key), cert: readFileSync(cert) }, (incoming, response) => {
    asked.push(`${incoming.method} ${incoming.url} ${incoming.headers.host}`);
    incoming.resume();
    incoming.on('end', () => void response.end('secured'));
  });
  api = await serving(server as unknown as Server);
});

afterAll(() => {
  for (const server of servers) {
    server.closeAllConnections();
    server.close();
  }
  rmSync(folder, { recursive: true });
});

/** A proxy that lets through whom it knows, and what it was asked. */
async function proxy(
  options: { readonly refuses?: boolean } = {},
): Promise<{ readonly port: number; readonly asked: string[] }> {
  const heard: string[] = [];
  const server = createHttpServer((incoming, response) => {
    heard.push(`${incoming.method} ${incoming.url} ${incoming.headers['proxy-authorization'] ?? '-'}`);
    incoming.resume();
    incoming.on('end', () => void response.end('by the proxy'));
  });
  server.on('connect', (incoming, socket: Socket) => {
    heard.push(`CONNECT ${incoming.url} ${incoming.headers['proxy-authorization'] ?? '-'}`);
    if (options.refuses === true) return void socket.end('HTTP/1.1 407 Proxy Authentication Required\r\n\r\n');
    const [, port = ''] = (incoming.url ?? '').split(':');
    const through = connect(Number(port), '127.0.0.1', () => {
      socket.write('HTTP/1.1 200 Connection Established\r\n\r\n');
      socket.pipe(through).pipe(socket);
    });
    for (const end of [socket, through]) end.on('error', () => undefined);
  });
  return { port: await serving(server), asked: heard };
}

/** What a child with this environment is answered, through us. */
async function answered(environment: Record<string, string>): Promise<string> {
  const found = upstreamOf(environment);
  if ('reason' in found) return found.reason;
  await using pass = await passThrough(found.upstream);
  const wire = await pass.open(request(pass.port, { fields: ['connection: close'] }));
  await wire.closed;
  const [head = '', body = ''] = wire.text().split('\r\n\r\n');
  return `${head.split('\r\n')[0]} ${body.replaceAll(/^\d+\r\n|\r\n.*$/gs, '')}`;
}

describe.skipIf(noTls !== undefined)(`over TLS${noTls === undefined ? '' : `: ${noTls}`}`, () => {
  test('the upstream is reached with the certificates that the child would trust', async () => {
    asked = [];
    const ANTHROPIC_BASE_URL = `https://localhost:${api}/gateway`;
    expect(await answered({ ANTHROPIC_BASE_URL, NODE_EXTRA_CA_CERTS: cert })).toBe('HTTP/1.1 200 OK secured');
    expect(asked).toEqual([`POST /gateway/v1/messages?beta=true localhost:${api}`]);
  });

  test('one that nobody vouches for is not reached, unless the user wants it so', async () => {
    const ANTHROPIC_BASE_URL = `https://127.0.0.1:${api}`;
    expect(await answered({ ANTHROPIC_BASE_URL })).toMatch(/^HTTP\/1.1 502 Bad Gateway .*(SELF_SIGNED|self-signed)/);
    expect(await answered({ ANTHROPIC_BASE_URL, NODE_TLS_REJECT_UNAUTHORIZED: '0' })).toBe('HTTP/1.1 200 OK secured');
  });

  test('a certificate for another name is none', async () => {
    const elsewhere = createHttpsServer(
      { key: readFileSync(key), cert: readFileSync(cert) },
      (_, response) => void response.end(),
    );
    const port = await serving(elsewhere as unknown as Server, '127.0.0.2');
    const environment = { ANTHROPIC_BASE_URL: `https://127.0.0.2:${port}`, NODE_EXTRA_CA_CERTS: cert };
    expect(await answered(environment)).toMatch(
      /^HTTP\/1.1 502 Bad Gateway .*ERR_TLS_CERT_ALTNAME_INVALID.*NODE_EXTRA_CA_CERTS/,
    );
  });

  test('a proxy is asked for a tunnel, with the credentials of its URL', async () => {
    const own = await proxy();
    asked = [];
    const environment = { ANTHROPIC_BASE_URL: `https://localhost:${api}`, NODE_EXTRA_CA_CERTS: cert };
    expect(await answered({ ...environment, HTTPS_PROXY: `http://me:secret@127.0.0.1:${own.port}` })).toBe(
      'HTTP/1.1 200 OK secured',
    );
    expect(own.asked).toEqual([`CONNECT localhost:${api} Basic ${Buffer.from('me:secret').toString('base64')}`]);
    expect(asked).toEqual([`POST /v1/messages?beta=true localhost:${api}`]);
    expect(await answered({ ...environment, HTTPS_PROXY: `http://127.0.0.1:${own.port}`, NO_PROXY: 'localhost' })).toBe(
      'HTTP/1.1 200 OK secured',
    );
    expect(own.asked).toHaveLength(1);
  });

  test('a proxy that refuses is told of', async () => {
    const own = await proxy({ refuses: true });
    const [name, password] = ['proxy-user', 'proxy-canary-4711'];
    const environment = {
      ANTHROPIC_BASE_URL: `https://localhost:${api}`,
      HTTPS_PROXY: `http://${name}:${password}@127.0.0.1:${own.port}`,
    };
    const told = await answered(environment);
    expect(told).toMatch(/^HTTP\/1.1 502 Bad Gateway .*the proxy answered 407.*check HTTPS_PROXY/);
    expect(told).toContain(`https://localhost:${api} cannot be reached through the proxy at 127.0.0.1:${own.port} (`);
    const proof = Buffer.from(`${name}:${password}`).toString('base64');
    expect(own.asked.join()).toContain(proof);
    for (const secret of [name, password, proof]) expect(told).not.toContain(secret);
  });
});

test('a proxy for plain HTTP is given the whole URL', async () => {
  const own = await proxy();
  const environment = {
    ANTHROPIC_BASE_URL: 'http://gateway.example:8080/x',
    HTTP_PROXY: `http://127.0.0.1:${own.port}`,
  };
  expect(await answered(environment)).toBe('HTTP/1.1 200 OK by the proxy');
  expect(own.asked).toEqual(['POST http://gateway.example:8080/x/v1/messages?beta=true -']);
});
