import { execFileSync } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { type AddressInfo, createServer } from 'node:net';
import { hostname, tmpdir } from 'node:os';
import { join } from 'node:path';
import { Writable } from 'node:stream';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { runCommandLine } from '../run-command-line.ts';

/** No folder can be made below a file: a collect that is not refused before ends here instead of listening for ever. */
const NO_SPOOL = ['--spool', `${fileURLToPath(import.meta.url)}/spool`];

async function collect(args: readonly string[], env: Readonly<Record<string, string>> = {}, now = new Date()) {
  const said: string[] = [];
  const stream = new Writable({
    write(chunk: Buffer, _encoding, done) {
      said.push(chunk.toString());
      done();
    },
  });
  const io = { stdout: stream, stderr: stream, cwd: tmpdir(), isTerminal: false, columns: 80, now: () => now };
  return {
    exitCode: await runCommandLine(['collect', ...NO_SPOOL, ...args], { ...io, env: { HOME: tmpdir(), ...env } }),
    said: said.join(''),
  };
}

test.each([
  ['http://localhost:4318', []],
  ['http://127.0.0.1:4317', []],
  [`http://${hostname()}:4318/`, []],
  ['http://[::1]:14318', ['--port', '14318']],
])('what would be sent to where it is received is refused at once: %s %j', async (endpoint, args) => {
  const { exitCode, said } = await collect(args, { OTEL_EXPORTER_OTLP_ENDPOINT: endpoint });
  expect(exitCode).toBe(2);
  expect(said).toMatch(
    /^spanprism: collect: what is received would be sent to \S+, where it is received; name the next place/,
  );
});

describe('what no client could connect to is refused at once', () => {
  let folder: string;
  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), 'spanprism-tls-'));
    for (const name of ['one', 'other']) selfSigned(folder, name);
    await writeFile(join(folder, 'text.pem'), 'no PEM');
  });
  afterAll(() => rm(folder, { recursive: true, force: true }));

  const tls = (cert: string, key: string) => ['--tls-cert', join(folder, cert), '--tls-key', join(folder, key)];
  const pair = 'give a certificate and the private key that belongs to it, both in PEM and without a passphrase';

  test.each([
    ['a key of another certificate', 'one.cert', 'other.key', `(key values mismatch); ${pair}`],
    ['what is no PEM', 'text.pem', 'one.key', `(no start line); ${pair}`],
    ['a certificate that is not there', 'none.cert', 'one.key', 'none.cert is not there; give the path of a PEM file'],
    ['a folder', '.', 'one.key', 'cannot be read (EISDIR); give the path of a PEM file'],
  ])('%s', async (_, cert, key, words) => {
    const { exitCode, said } = await collect(tls(cert, key));
    expect([exitCode, said.trimEnd().split('\n').length]).toEqual([2, 1]);
    expect(said).toContain(words);
  });

  test('a certificate whose time is over', async () => {
    const inAWeek = new Date(Date.now() + 7 * 86_400_000);
    const { exitCode, said } = await collect(tls('one.cert', 'one.key'), {}, inAWeek);
    expect(exitCode).toBe(2);
    expect(said).toMatch(/the certificate of --tls-cert has expired \([A-Z][a-z]{2} .* GMT\); renew it\n$/);
  });

  test('a port that another has', async () => {
    const other = createServer().listen(0, '127.0.0.1');
    await once(other, 'listening');
    const { port } = other.address() as AddressInfo;
    for (const option of ['--port', '--grpc-port']) {
      const free = ['--port', '0', '--grpc-port', '0', '--spool', join(folder, option)];
      const { exitCode, said } = await collect([...free, option, String(port)]);
      expect(exitCode).toBe(1);
      expect(said).toBe(
        `spanprism: collect: cannot listen at 127.0.0.1:${port} (EADDRINUSE); choose another port with ${option}, or end what listens there\n`,
      );
    }
    other.close();
  });
});

/** Valid for two days. */
function selfSigned(folder: string, name: string): void {
  const key = ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:prime256v1', '-nodes'];
  const files = ['-keyout', join(folder, `${name}.key`), '-out', join(folder, `${name}.cert`)];
  execFileSync('openssl', ['req', '-x509', ...key, '-days', '2', '-subj', '/CN=localhost', ...files], {
    stdio: 'ignore',
  });
}
