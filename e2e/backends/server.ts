import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, realpathSync } from 'node:fs';
import { rm } from 'node:fs/promises';
import { type AddressInfo, createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { lastLines } from './run-command.ts';

export interface ServerOptions {
  readonly name: string;
  readonly program: string;
  readonly words: readonly string[];
  readonly env?: Readonly<Record<string, string>>;
  /** Whatever it answers there says that it is ready. */
  readonly url: string;
  readonly readyWithinMs: number;
}

export interface Server {
  /** What it has printed so far. */
  readonly log: () => string;
  /** Asks it to end, insists after ten seconds. Resolves when it is gone. */
  readonly stop: () => Promise<void>;
}

const GRACE_MS = 10_000;

/** Starts a server in an environment of its own and waits until it answers. */
export async function startServer(options: ServerOptions): Promise<Server> {
  const { name, program, words, env = {}, url, readyWithinMs } = options;
  const own = { PATH: process.env['PATH'] ?? '', LANG: 'C.UTF-8', ...env };
  const child = spawn(program, words, { env: own, stdio: ['ignore', 'pipe', 'pipe'] });
  const kill = (): boolean => child.kill('SIGKILL');
  process.once('exit', kill);
  let log = '';
  const keep = (chunk: Buffer): void => {
    log += chunk.toString('utf8');
  };
  child.stdout.on('data', keep);
  child.stderr.on('data', keep);
  child.once('error', ({ message }) => keep(Buffer.from(message)));
  const stop = async (): Promise<void> => {
    await ended(child);
    process.off('exit', kill);
  };
  const giveUpAt = Date.now() + readyWithinMs;
  while (!(await answers(url))) {
    const hasEnded = child.pid === undefined || child.exitCode !== null || child.signalCode !== null;
    if (!hasEnded && Date.now() < giveUpAt) {
      await delay(100);
      continue;
    }
    await stop();
    const why = hasEnded ? 'ended at once' : `did not answer within ${readyWithinMs / 1000} s`;
    throw new Error(`${name} ${why}:\n  ${lastLines(log)}`);
  }
  return { log: () => log, stop };
}

async function answers(url: string): Promise<boolean> {
  try {
    await fetch(url, { signal: AbortSignal.timeout(1000) });
    return true;
  } catch {
    return false;
  }
}

async function ended(child: ChildProcess): Promise<void> {
  if (child.pid === undefined || child.exitCode !== null || child.signalCode !== null) return;
  const exit = once(child, 'exit');
  child.kill('SIGTERM');
  const insist = setTimeout(() => child.kill('SIGKILL'), GRACE_MS);
  await exit;
  clearTimeout(insist);
}

/** Ports of 127.0.0.1 that are free now. */
export async function freePorts(count: number): Promise<readonly number[]> {
  const servers = Array.from({ length: count }, () => createServer());
  for (const server of servers) {
    server.listen(0, '127.0.0.1');
    await once(server, 'listening');
  }
  const ports = servers.map((server) => (server.address() as AddressInfo).port);
  for (const server of servers) {
    server.close();
    await once(server, 'close');
  }
  return ports;
}

export interface TemporaryFolder {
  readonly path: string;
  readonly remove: () => Promise<void>;
}

export function temporaryFolder(): TemporaryFolder {
  const path = realpathSync(mkdtempSync(join(tmpdir(), 'spanprism-backend-')));
  return { path, remove: () => rm(path, { recursive: true, force: true, maxRetries: 10, retryDelay: 100 }) };
}
