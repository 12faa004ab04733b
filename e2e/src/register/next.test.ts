import { type ChildProcessByStdio, execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import { rmSync } from 'node:fs';
import { join } from 'node:path';
import type { Readable } from 'node:stream';
import { claudeBinary, cleanEnvironment, makeProject, startCollector, startMessagesApi } from '@spanprism/testkit';
import { afterAll, beforeAll, expect, inject, test } from 'vitest';
import { NODES } from '../lane.ts';
import {
  copySdk,
  installRegistered,
  LOOK_AROUND,
  namesByPath,
  type RegisteredApp,
  SDK,
  WHOLE,
} from './registered-app.ts';

let app: RegisteredApp;
const NEXT = join('node_modules', 'next', 'dist', 'bin', 'next');

beforeAll(() => {
  app = installRegistered('registered-next', inject('tarballs'));
  // Next does not follow a link out of the program's folder.
  rmSync(join(app.folder, 'node_modules', SDK));
  copySdk(app.folder);
});
afterAll(() => app[Symbol.dispose]());

type Server = ChildProcessByStdio<null, Readable, Readable>;

/** Where the server listens, once it says so. */
function listening(server: Server): Promise<string> {
  return new Promise((resolve, reject) => {
    let said = '';
    server.once('exit', () => reject(new Error(`Next has ended: ${said}`)));
    server.stdout.on('data', (chunk: Buffer) => {
      said += String(chunk);
      const [, url] = /Local:\s+(http:\S+)/.exec(said) ?? [];
      if (url !== undefined && said.includes('Ready')) resolve(url);
    });
  });
}

test.each(['--turbopack', '--webpack'])(
  'a route of a Next.js app built with %s is traced',
  { timeout: 240_000 },
  async (bundler) => {
    await using project = await makeProject();
    await using api = await startMessagesApi({ rules: LOOK_AROUND });
    await using collector = await startCollector();
    const extra = {
      CLAUDE: claudeBinary().path,
      PROJECT: project.cwd,
      NEXT_TELEMETRY_DISABLED: '1',
      NODE_OPTIONS: '--import @spanprism/register',
      OTEL_EXPORTER_OTLP_ENDPOINT: collector.url,
    };
    const env = cleanEnvironment({ home: project.home, apiUrl: api.url, extra });
    const built = execFileSync(NODES['24'], [NEXT, 'build', bundler], {
      cwd: app.folder,
      env,
      encoding: 'utf8',
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    expect(built).toContain('/api/ask');
    const words = [NEXT, 'start', '--hostname', '127.0.0.1', '--port', '0'];
    const server = spawn(NODES['24'], words, { cwd: app.folder, env, stdio: ['ignore', 'pipe', 'pipe'] });
    let stderr = '';
    server.stderr.on('data', (chunk: Buffer) => {
      stderr += String(chunk);
    });
    try {
      const url = await listening(server);
      expect(await (await fetch(`${url}/api/ask`)).json()).toEqual({ answer: 'Three files.' });
      await collector.until(({ spans }) => spans().length >= WHOLE.length);
      expect(namesByPath(collector)).toEqual({ '/v1/traces': WHOLE });
      expect(stderr).toBe('spanprism: Claude agents are traced to otlp (OTEL_EXPORTER_OTLP_ENDPOINT)\n');
    } finally {
      server.kill();
      if (server.exitCode === null && server.signalCode === null) await once(server, 'exit');
    }
  },
);
