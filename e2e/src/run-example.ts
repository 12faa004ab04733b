import { execFile } from 'node:child_process';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import {
  type CollectedSpan,
  cleanEnvironment,
  makeProject,
  type Rule,
  startCollector,
  startMessagesApi,
} from '@spanprism/testkit';

export const root: string = dirname(dirname(dirname(fileURLToPath(import.meta.url))));
const examples = join(root, 'examples');

export interface EndedExample {
  readonly code: number;
  readonly stdout: string;
  readonly stderr: string;
}

type Env = Readonly<Record<string, string>>;

/** Where this is set in the environment of a program, all its HTTPS requests go there, whatever host they are for. */
export const WORLD = 'WORLD_IS_AT';

/** Runs a program of the examples as a user would, but on the sources, and in an environment that shares nothing with this machine. */
export function runExample(file: string, words: readonly string[], env: Env): Promise<EndedExample> {
  const preload = WORLD in env ? ['--import', fileURLToPath(new URL('world-is-here.ts', import.meta.url))] : [];
  const parameters = ['--conditions=@spanprism/source', ...preload, join(examples, file), ...words];
  return new Promise((resolve) => {
    execFile(process.execPath, parameters, { cwd: examples, env }, (error, stdout, stderr) => {
      resolve({ code: error === null ? 0 : Number(error.code), stdout, stderr });
    });
  });
}

export interface ExampleRun {
  /** What the scripted Messages API answers. */
  readonly rules: readonly Rule[];
  readonly file: string;
  readonly words: readonly string[];
  /** How the program finds the fake of its backend; OpenTelemetry's variables unless given. */
  readonly env?: (backendUrl: string) => Env;
}

const OTLP = (backendUrl: string): Env => ({
  OTEL_EXPORTER_OTLP_ENDPOINT: backendUrl,
  OTEL_SERVICE_NAME: 'example',
});

/** Runs an example with the real `claude` against a scripted Messages API and a fake backend; spans in the order of their starts. */
export async function runAgainst({ rules, file, words, env = OTLP }: ExampleRun) {
  await using project = await makeProject();
  await using api = await startMessagesApi({ rules });
  await using collector = await startCollector();
  const environment = cleanEnvironment({ home: project.home, apiUrl: api.url, extra: env(collector.url) });
  const ended = await runExample(file, words, environment);
  const spans = collector.spans().toSorted((left, right) => Number(left.startedAt - right.startedAt));
  return { ended, spans, requests: collector.requests };
}

/** Names, indented by depth. */
export function treeOf(spans: readonly CollectedSpan[], parent?: CollectedSpan, depth = 0): readonly string[] {
  const children = spans.filter(({ parentSpanId }) => parentSpanId === parent?.spanId);
  return children.flatMap((span) => [`${'  '.repeat(depth)}${span.name}`, ...treeOf(spans, span, depth + 1)]);
}
