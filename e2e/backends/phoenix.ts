import { cpSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { type Build, cachedBuild, fetched } from './cached-build.ts';
import { runCommand } from './run-command.ts';
import { freePorts, startServer, temporaryFolder } from './server.ts';

const PHOENIX = 'arize-phoenix==20.26.1';
const constraints = join(import.meta.dirname, 'phoenix', 'constraints.txt');

const python = (build: string): string =>
  process.platform === 'win32' ? join(build, 'venv', 'Scripts', 'python.exe') : join(build, 'venv', 'bin', 'python');

/** Phoenix from PyPI in a virtual environment of its own. */
export async function buildPhoenix(): Promise<Build> {
  // An environment is bound to the Python that it was made with.
  const identity = ['-c', 'import sys; print(sys.version, sys.base_prefix)'];
  const { ok, output } = await runCommand({ program: 'python3', words: identity, timeoutMs: 30_000 });
  if (!ok) return { absent: `Python is needed: ${output}` };
  return cachedBuild({ name: 'phoenix', inputs: [PHOENIX, readFileSync(constraints, 'utf8'), output], make });
}

async function make(folder: string, timeLeftMs: () => number): Promise<void> {
  const run = (what: string, program: string, words: readonly string[]): Promise<string> =>
    fetched(what, { program, words, cwd: folder, timeoutMs: timeLeftMs() });
  cpSync(constraints, join(folder, 'constraints.txt'));
  await run('a virtual environment could not be made', 'python3', ['-m', 'venv', 'venv']);
  // Compiling all of it takes longer than what the server loads does at its first start.
  const quiet = ['--quiet', '--disable-pip-version-check', '--no-input', '--no-compile'];
  const install = ['-m', 'pip', 'install', ...quiet, '--only-binary', ':all:', '--constraint', 'constraints.txt'];
  await run('Phoenix could not be fetched', python(folder), [...install, PHOENIX]);
}

/** A span as Phoenix shows it: `/v1/projects/{project}/spans`. */
export interface PhoenixSpan {
  readonly name: string;
  readonly context: { readonly trace_id: string; readonly span_id: string };
  readonly span_kind: string;
  readonly parent_id: string | null;
  readonly start_time: string;
  readonly end_time: string;
  readonly status_code: string;
  readonly status_message: string;
  readonly attributes: Readonly<Record<string, unknown>>;
}

/** A session as Phoenix shows it: `/v1/projects/{project}/sessions`. */
export interface PhoenixSession {
  readonly session_id: string;
  readonly traces: readonly { readonly trace_id: string }[];
  readonly token_count_prompt: number;
  readonly token_count_completion: number;
  readonly token_count_total: number;
}

export interface Phoenix {
  readonly url: string;
  /** Everything that a project shows under one of its pages in the REST API. */
  readonly list: <Item>(project: string, page: 'spans' | 'sessions') => Promise<readonly Item[]>;
  /** Answers the `data` of a GraphQL query, which is what the user interface asks. */
  readonly ask: <Data>(query: string, variables?: Readonly<Record<string, unknown>>) => Promise<Data>;
  readonly log: () => string;
  readonly stop: () => Promise<void>;
}

/** Starts Phoenix on ports of its own with a database of its own. */
export async function startPhoenix(build: string): Promise<Phoenix> {
  const folder = temporaryFolder();
  const [port, grpcPort] = await freePorts(2);
  const url = `http://127.0.0.1:${port}`;
  const server = await startServer({
    name: 'Phoenix',
    program: python(build),
    words: ['-m', 'phoenix.server.main', 'serve'],
    env: {
      HOME: folder.path,
      PHOENIX_WORKING_DIR: folder.path,
      PHOENIX_HOST: '127.0.0.1',
      PHOENIX_PORT: String(port),
      PHOENIX_GRPC_PORT: String(grpcPort),
      PHOENIX_TELEMETRY_ENABLED: 'false',
      PHOENIX_ALLOW_EXTERNAL_RESOURCES: 'false',
    },
    url: `${url}/healthz`,
    readyWithinMs: 180_000,
  });
  return {
    url,
    list: async <Item>(project: string, page: 'spans' | 'sessions') => {
      const path = `/v1/projects/${encodeURIComponent(project)}/${page}?limit=1000`;
      const response = await fetch(`${url}${path}`);
      // There is no project before its first span.
      if (response.status === 404) return [];
      const { data } = await bodyOf<{ data: readonly Item[] }>(response, path);
      return data;
    },
    ask: async <Data>(query: string, variables: Readonly<Record<string, unknown>> = {}) => {
      const headers = { 'content-type': 'application/json' };
      const body = JSON.stringify({ query, variables });
      const response = await fetch(`${url}/graphql`, { method: 'POST', headers, body });
      const { data, errors } = await bodyOf<{ data: Data; errors?: unknown }>(response, '/graphql');
      if (errors !== undefined) throw new Error(`Phoenix answered ${JSON.stringify(errors)}`);
      return data;
    },
    log: server.log,
    stop: async () => {
      await server.stop();
      await folder.remove();
    },
  };
}

async function bodyOf<Body>(response: Response, path: string): Promise<Body> {
  if (!response.ok) throw new Error(`Phoenix answered ${response.status} to ${path}: ${await response.text()}`);
  return (await response.json()) as Body;
}
