import { execFile, execFileSync } from 'node:child_process';
import { chmodSync, mkdirSync, readFileSync, symlinkSync, writeFileSync } from 'node:fs';
import http from 'node:http';
import https from 'node:https';
import net, { type AddressInfo } from 'node:net';
import { dirname, join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { fileURLToPath } from 'node:url';
import { claudeBinary, type Collector, makeProject, type Project, startCollector } from '@spanprism/testkit';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { CODES } from './finding.ts';

const packages = fileURLToPath(new URL('../../..', import.meta.url));
const main = join(packages, 'cli', 'src', 'main.ts');

let collector: Collector;
const open: { close(): unknown }[] = [];
beforeAll(async () => {
  collector = await startCollector();
});
afterAll(async () => {
  for (const one of open) one.close();
  await collector.close();
});

type Env = Readonly<Record<string, string>>;

interface Ended {
  readonly code: number;
  readonly stdout: string;
  readonly stderr: string;
}

/** A program of its own, in an environment that shares nothing with this machine. */
function doctor({ cwd, home }: Project, env: Env, ...args: readonly string[]): Promise<Ended> {
  const bare = { PATH: join(home, 'bin'), HOME: home, SPANPRISM_STORE: join(home, 'spans.db'), ...env };
  const parameters = ['--conditions=@spanprism/source', main, 'doctor', ...args];
  return new Promise((resolve) => {
    execFile(process.execPath, parameters, { cwd, env: bare }, (error, stdout, stderr) => {
      resolve({ code: error === null ? 0 : Number(error.code), stdout, stderr });
    });
  });
}

/** With a `claude` on the path. */
async function place(): Promise<Project> {
  const project = await makeProject({});
  const { path } = claudeBinary();
  mkdirSync(join(project.home, 'bin'));
  if (path !== undefined) symlinkSync(path, join(project.home, 'bin', 'claude'));
  return project;
}

async function serving(server: net.Server): Promise<number> {
  open.push(server);
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return (server.address() as AddressInfo).port;
}

function write(path: string, content: unknown): string {
  mkdirSync(dirname(path), { recursive: true });
  writeFileSync(path, typeof content === 'string' ? content : JSON.stringify(content));
  return path;
}

const answering = (status: number, headers: Env = {}): http.Server =>
  http.createServer((request, response) => {
    request.resume().on('end', () => response.writeHead(status, { connection: 'close', ...headers }).end());
  });

const to = (url: string, more: Env = {}): Env => ({ OTEL_EXPORTER_OTLP_ENDPOINT: url, ...more });
const PARENT = '00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331';
const SDK = '@anthropic-ai/claude-agent-sdk';

/** Each makes its fault, and answers the environment in which it shows. */
const FAULTS: Readonly<Record<string, (project: Project) => Promise<Env> | Env>> = {
  wrong_protocol: () => to(collector.url, { OTEL_EXPORTER_OTLP_PROTOCOL: 'http/xml' }),
  missing_v1_traces: () => ({ OTEL_EXPORTER_OTLP_TRACES_ENDPOINT: `${collector.url}/otlp` }),
  key_refused: async () =>
    to(`http://127.0.0.1:${await serving(answering(401))}`, { OTEL_EXPORTER_OTLP_HEADERS: 'x-key=sk-secret-key' }),
  connection_refused: async () => {
    const server = net.createServer();
    const port = await serving(server);
    await new Promise((resolve) => server.close(resolve));
    return to(`http://127.0.0.1:${port}`);
  },
  tls_failed: async ({ home }) => {
    const [key, cert] = [join(home, 'key.pem'), join(home, 'cert.pem')];
    const subject = ['-subj', '/CN=127.0.0.1', '-addext', 'subjectAltName=IP:127.0.0.1'];
    const parameters = ['req', '-x509', '-newkey', 'rsa:2048', '-nodes', '-days', '1', ...subject];
    execFileSync('openssl', [...parameters, '-keyout', key, '-out', cert], { stdio: 'ignore' });
    const server = https.createServer({ key: readFileSync(key), cert: readFileSync(cert) });
    return to(`https://127.0.0.1:${await serving(server)}`);
  },
  proxy_in_the_way: async () => {
    const proxy = http.createServer();
    proxy.on('connect', (_, socket) => void socket.end('HTTP/1.1 200 OK\r\n\r\n'));
    return to('http://collector.invalid:4318', { HTTP_PROXY: `http://127.0.0.1:${await serving(proxy)}` });
  },
  exporter_none: () => to(collector.url, { OTEL_TRACES_EXPORTER: 'none' }),
  headers_malformed: () => to(collector.url, { OTEL_EXPORTER_OTLP_HEADERS: 'x-key: sk-secret-key' }),
  settings_base_url: ({ home }) => {
    write(join(home, '.claude', 'settings.json'), { env: { ANTHROPIC_BASE_URL: 'http://gateway/sk-secret-key' } });
    return {};
  },
  settings_telemetry: ({ cwd }) => {
    write(join(cwd, '.claude', 'settings.json'), { env: { CLAUDE_CODE_ENABLE_TELEMETRY: '0' } });
    return {};
  },
  sdk_not_patched: ({ cwd }) => {
    write(join(cwd, 'package.json'), { dependencies: { [SDK]: '*' } });
    const link = join(cwd, 'node_modules', SDK);
    mkdirSync(dirname(link), { recursive: true });
    symlinkSync(join(packages, 'testkit', 'node_modules', SDK), link, 'dir');
    return {};
  },
  two_otel_majors: ({ cwd }) => {
    const name = '@opentelemetry/sdk-trace-base';
    write(join(cwd, 'package.json'), { dependencies: { [name]: '2', vendor: '1' } });
    write(join(cwd, 'node_modules', name, 'package.json'), { name, version: '2.12.1' });
    const vendor = join(cwd, 'node_modules', 'vendor');
    write(join(vendor, 'package.json'), { name: 'vendor', version: '1.0.0', dependencies: { [name]: '1' } });
    write(join(vendor, 'node_modules', name, 'package.json'), { name, version: '1.30.1' });
    return {};
  },
  unsampled_parent: () => ({ TRACEPARENT: `${PARENT}-00` }),
  sampler_off: () => ({ OTEL_TRACES_SAMPLER: 'always_off' }),
  store_not_writable: ({ home }) => ({ SPANPRISM_STORE: join(write(join(home, 'file'), 'x'), 'spans.db') }),
  store_corrupt: ({ home }) => ({ SPANPRISM_STORE: write(join(home, 'spans.db'), 'no database '.repeat(500)) }),
  store_locked: async (project) => {
    await doctor(project, {});
    const database = new DatabaseSync(join(project.home, 'spans.db'));
    open.push(database);
    database.exec('BEGIN EXCLUSIVE');
    return {};
  },
  store_newer: async (project) => {
    await doctor(project, {});
    const database = new DatabaseSync(join(project.home, 'spans.db'));
    database.exec('PRAGMA user_version = 9999');
    database.close();
    return {};
  },
  claude_not_found: () => ({ PATH: '/nonexistent' }),
  claude_fails: ({ home }) => {
    const path = write(join(home, 'broken', 'claude'), '#!/bin/sh\nexit 3\n');
    chmodSync(path, 0o755);
    return { PATH: dirname(path) };
  },
};

describe('each broken set-up has its code, one line and exit code 1', () => {
  test.each(Object.entries(FAULTS))('%s', async (code, make) => {
    await using project = await place();
    const env = await make(project);
    const { code: exitCode, stdout, stderr } = await doctor(project, env);
    const problems = stdout.split('\n').filter((line) => line.startsWith('✗'));
    expect({ exitCode, stderr }).toEqual({ exitCode: 1, stderr: '' });
    // What, where in brackets, and what to do.
    expect(problems).toEqual([expect.stringMatching(new RegExp(`^✗ [a-z ]+  ${code}: \\S.* \\(.+\\)\\. \\S.*[.?]$`))]);
    expect(stdout).not.toContain('sk-secret-key');
  });
});

test('nothing is wrong with a healthy set-up: every check is passed, and the canary is there', async () => {
  await using project = await place();
  const before = collector.spans().length;
  const { code, stdout, stderr } = await doctor(project, to(collector.url), '--store');
  expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
  expect(stdout).not.toContain('✗');
  const passed = stdout.split('\n').flatMap((line) => /^✓ (\S+(?: \S+)*)  /.exec(line)?.[1] ?? []);
  expect(passed).toEqual(['node', 'claude', 'settings', 'environment', 'store', 'sink otlp']);
  expect(
    collector
      .spans()
      .slice(before)
      .map(({ name }) => name),
  ).toEqual(['spanprism doctor']);
});

test('without a backend the store is what is checked, and no canary stays in it', async () => {
  await using project = await place();
  for (const _ of ['once', 'again']) {
    const { code, stdout } = await doctor(project, {});
    expect(code).toBe(0);
    expect(stdout).toContain(`${join(project.home, 'spans.db')}, no runs yet`);
  }
});

test.each([[[]], [['--json']]])('no key, token or password is printed, whatever sink it is for %j', async (args) => {
  await using project = await place();
  const refused = 'http://127.0.0.1:2';
  const env = {
    OTEL_EXPORTER_OTLP_ENDPOINT: 'http://user:secret-1@127.0.0.1:1/secret-2?key=secret-3',
    OTEL_EXPORTER_OTLP_HEADERS: 'authorization=Bearer%20secret-4',
    LANGFUSE_PUBLIC_KEY: 'pk-lf-secret-5',
    LANGFUSE_SECRET_KEY: 'sk-lf-secret-6',
    LANGFUSE_BASE_URL: refused,
    LOGFIRE_TOKEN: 'pylf_v1_us_secret-7',
    LOGFIRE_BASE_URL: refused,
    SENTRY_DSN: 'http://secret-8@127.0.0.1:3/42',
    HONEYCOMB_API_KEY: 'hcxik_secret-9',
    HONEYCOMB_API_ENDPOINT: refused,
    HTTP_PROXY: 'http://user:secret-10@127.0.0.1:1',
    OTEL_EXPORTER_OTLP_LOGS_PROTOCOL: 'secret-11',
    OTEL_EXPORTER_OTLP_LOGS_HEADERS: 'secret-12',
    TRACEPARENT: 'secret-13',
  };
  const { code, stdout, stderr } = await doctor(project, env, ...args);
  expect(code).toBe(1);
  expect(stdout.match(/connection_refused/g)).toHaveLength(5);
  expect(stdout + stderr).not.toContain('secret-');
});

test('--json is one document, in which every field is always there', async () => {
  await using project = await place();
  const { code, stdout } = await doctor(project, to('http://127.0.0.1:1', { TRACEPARENT: `${PARENT}-00` }), '--json');
  const document: { checks: Record<string, unknown>[] } = JSON.parse(stdout);
  expect(code).toBe(1);
  expect(document).toMatchObject({ version: 1, ok: false, problems: 2 });
  const fields = ['check', 'code', 'detail', 'fix', 'status', 'what', 'where'];
  expect(document.checks.map((check) => Object.keys(check).sort())).toEqual(document.checks.map(() => fields));
  expect(document.checks.map(({ code: found }) => found).filter((found) => found !== null)).toEqual([
    'unsampled_parent',
    'connection_refused',
  ]);
});

test('every code is explained in the documentation, and no other', () => {
  const text = readFileSync(join(packages, '..', 'docs', 'doctor.md'), 'utf8');
  const explained = [...text.matchAll(/^\| `([a-z0-9_]+)` \|/gm)].map(([, code]) => code);
  expect(explained.toSorted()).toEqual(CODES.toSorted());
});
