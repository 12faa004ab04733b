import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import {
  claudeBinary,
  cleanEnvironment,
  makeProject,
  type MessagesApi,
  type Project,
  type Rule,
  startMessagesApi,
} from '@spanprism/testkit';
import { inject } from 'vitest';

const MAIN = (): string => join(inject('packedFolder'), 'node_modules', 'spanprism', 'dist', 'main.js');

/** A `spanprism collect` process. */
export interface Collecting {
  readonly http: string;
  readonly grpc: string;
  readonly stderr: () => string;
  /** A line of `/metrics`: the value of the series of that name and these labels; 0 while there is none. */
  readonly metric: (series: string) => Promise<number>;
  readonly child: ChildProcess;
  /** By SIGTERM; resolves to the exit code. */
  readonly stop: () => Promise<number | null>;
  readonly kill: () => Promise<void>;
}

export interface CollectOptions {
  readonly folder: string;
  readonly args?: readonly string[];
  readonly env?: Readonly<Record<string, string>>;
  readonly scheme?: 'http' | 'https';
  /** What Node runs; the packed command unless given. */
  readonly program?: readonly string[];
  /** The ports of one that was there before. */
  readonly like?: Collecting;
}

const running = new Set<ChildProcess>();

/** Ends what a test has left. */
export async function endAll(): Promise<void> {
  for (const child of running) {
    child.kill('SIGKILL');
    await once(child, 'close');
  }
}

/** Starts one that keeps its spool in `folder`, and waits until it says where it listens. */
export async function startCollect(options: CollectOptions): Promise<Collecting> {
  const { folder, args = [], env = {}, scheme = 'http', program = [MAIN()], like } = options;
  const ports = ['--port', portOf(like?.http), '--grpc-port', portOf(like?.grpc)];
  const words = [...program, 'collect', ...ports, '--spool', join(folder, 'spool'), ...args];
  const { ANTHROPIC_API_KEY: _, ...clean } = cleanEnvironment({ home: folder, extra: env });
  const child = spawn(process.execPath, words, { env: clean, stdio: ['ignore', 'pipe', 'pipe'] });
  running.add(child);
  child.once('close', () => running.delete(child));
  let stderr = '';
  const said = new Promise<RegExpExecArray>((resolve, reject) => {
    child.stderr.setEncoding('utf8').on('data', (text: string) => {
      stderr += text;
      const found = /collecting at (\S+) and gRPC at (\S+),/.exec(stderr);
      if (found !== null) resolve(found);
    });
    child.once('close', () => reject(new Error(`spanprism collect ended: ${stderr}`)));
  });
  const [, http = '', grpc = ''] = await said;
  const ended = async (signal: NodeJS.Signals): Promise<number | null> => {
    child.kill(signal);
    if (child.exitCode === null && child.signalCode === null) await once(child, 'close');
    return child.exitCode;
  };
  return {
    http,
    grpc: `${scheme}://${grpc}`,
    child,
    stderr: () => stderr,
    metric: async (series) => {
      const text = await (await fetch(`${http}/metrics`)).text();
      const line = text.split('\n').find((one) => one.startsWith(`${series} `));
      return Number(line?.slice(series.length) ?? 0);
    },
    stop: () => ended('SIGTERM'),
    kill: async () => void (await ended('SIGKILL')),
  };
}

function portOf(url: string | undefined): string {
  return url === undefined ? '0' : new URL(url).port;
}

/** A folder of a test's own. */
export async function temporaryFolder(): Promise<{ readonly path: string } & AsyncDisposable> {
  const path = await mkdtemp(join(tmpdir(), 'spanprism-collect-'));
  return { path, [Symbol.asyncDispose]: () => rm(path, { recursive: true, force: true }) };
}

export interface ClaudeRun {
  readonly prompt: string;
  readonly rules: readonly Rule[];
  /** How and where its telemetry goes. */
  readonly env: Readonly<Record<string, string>>;
  /** Arguments beside `-p`, its model and its tools. */
  readonly args?: readonly string[];
  readonly during?: (api: MessagesApi) => Promise<void>;
  /** One of its own unless given. */
  readonly project?: Project;
}

/** What a run of the real `claude` has cost, as the wire saw it. */
export interface Cost {
  readonly sessionId: string;
  readonly calls: number;
  readonly inputTokens: number;
  readonly outputTokens: number;
}

const EXPORTS = {
  CLAUDE_CODE_ENABLE_TELEMETRY: '1',
  CLAUDE_CODE_ENHANCED_TELEMETRY_BETA: '1',
  OTEL_TRACES_EXPORTER: 'otlp',
  OTEL_LOGS_EXPORTER: 'otlp',
  OTEL_METRICS_EXPORTER: 'otlp',
};

/** Runs the real `claude` in a project of its own, exporting to where `env` says. */
export async function runClaude(run: ClaudeRun): Promise<Cost> {
  const { prompt, rules, env, args = [], during } = run;
  const { path = '' } = claudeBinary(import.meta.url);
  // Request ids of two runs of one session are not the same.
  await using api = await startMessagesApi({ rules: [...rules], name: prompt });
  await using own = run.project === undefined ? await makeProject() : undefined;
  const { cwd, home } = run.project ?? (own as Project);
  const words = ['-p', prompt, '--model', 'claude-sonnet-4-5', '--allowedTools', 'Bash,Agent', ...args];
  const child = spawn(path, words, {
    cwd,
    env: cleanEnvironment({ home, apiUrl: api.url, extra: { ...EXPORTS, ...env } }),
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  let output = '';
  for (const stream of [child.stdout, child.stderr])
    stream.setEncoding('utf8').on('data', (text: string) => (output += text));
  const closed = once(child, 'close') as Promise<[number | null]>;
  await during?.(api);
  const [code] = await closed;
  if (code !== 0) throw new Error(`claude ended with ${code}: ${output}`);
  api.assertAllMatched();
  const usages = api.calls().map(({ usage }) => usage);
  const sum = (of: (usage: NonNullable<(typeof usages)[number]>) => number): number =>
    usages.reduce((total, usage) => total + (usage === undefined ? 0 : of(usage)), 0);
  return {
    sessionId: api.calls()[0]?.sessionId ?? '',
    calls: usages.length,
    inputTokens: sum(
      (usage) => usage.input_tokens + (usage.cache_read_input_tokens ?? 0) + (usage.cache_creation_input_tokens ?? 0),
    ),
    outputTokens: sum((usage) => usage.output_tokens),
  };
}
