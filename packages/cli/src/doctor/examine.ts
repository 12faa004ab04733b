import { homedir } from 'node:os';
import type { Environment } from '@spanprism/core/otlp';
import { type ChosenSinks, sinksFrom } from '../sinks/sinks-from.ts';
import { environmentFindings } from './environment-checks.ts';
import { type Finding, type Row, rowsOf, skipped, type Surroundings } from './finding.ts';
import { watchHttp } from './http-watch.ts';
import { otelRows } from './otel-check.ts';
import { claudeRows, nodeRows } from './program-checks.ts';
import { sdkRows } from './sdk-check.ts';
import { settingsRows } from './settings-check.ts';
import { sinkRows } from './sink-check.ts';
import { storeRows } from './store-check.ts';

export interface Examined {
  readonly env: Environment;
  readonly cwd: string;
  /** What the command line says of sinks. */
  readonly flags: Readonly<Record<string, unknown>>;
}

/** Everything that can be checked, at the same time. */
export async function examine({ env, cwd, flags }: Examined): Promise<readonly Row[]> {
  const around: Surroundings = { env, cwd, home: env['HOME'] || homedir() };
  const variables = environmentFindings(env);
  const node = nodeRows(process.versions.node);
  const isOld = node.some(({ status }) => status === 'problem');
  const rows = await Promise.all([
    node,
    claudeRows(around),
    settingsRows(around),
    sdkRows(around),
    otelRows(around),
    rowsOf('environment', variables, 'nothing in it keeps traces back'),
    isOld
      ? [skipped('store', 'needs a newer Node'), skipped('sinks', 'need a newer Node')]
      : traceRows({ env, flags, variables }),
  ]);
  return rows.flat();
}

interface Traced extends Omit<Examined, 'cwd'> {
  readonly variables: readonly Finding[];
}

/** The store, and the sinks. */
async function traceRows({ env, flags, variables }: Traced): Promise<readonly Row[]> {
  // What is wrong is in the error with which a flush ends, and in the answers themselves.
  const chosen = await sinksFrom({ env, diag: () => undefined }, flags);
  const { storePath, problems } = chosen;
  const backends = chosen.sinks.flatMap((sink, index) => {
    const place = chosen.places[index] ?? '';
    return place === storePath ? [] : [{ sink, where: whereOf(place, sink.name) }];
  });
  await closeStore(chosen);
  using watch = watchHttp();
  const store = await storePathOf(env);
  const isOfStore = (problem: string): boolean => problem.includes(store);
  const isUsed = storePath !== undefined || problems.some(isOfStore);
  const rows = await Promise.all([
    storeRows({ env, isUsed }),
    ...backends.map(({ sink, where }) => sinkRows({ sink, where, env, watch })),
  ]);
  const isTold = (problem: string): boolean => variables.some(({ where }) => problem.includes(`from ${where})`));
  const untold = problems.filter((problem) => !isOfStore(problem) && !isTold(problem));
  return [...rows.flat(), ...untold.flatMap((problem) => rowsOf('sinks', [configuration(problem)], ''))];
}

async function storePathOf(env: Environment): Promise<string> {
  const { defaultStorePath } = await import('@spanprism/store');
  return defaultStorePath(env);
}

/** The store is checked on its own; a canary in it would be a run. */
async function closeStore({ sinks, places, storePath }: ChosenSinks): Promise<void> {
  const index = places.findIndex((place) => place === storePath);
  if (storePath !== undefined) await sinks[index]?.close(1_000).catch(() => undefined);
}

const FLAGS: Readonly<Record<string, string>> = { otlp: '--otlp-endpoint', logfire: '--logfire-token' };

/** The variables that asked for a sink stand in brackets behind its name; a flag does not. */
function whereOf(place: string, name: string): string {
  const [, variables] = /\(([A-Z][A-Z0-9_]*(?:, [A-Z][A-Z0-9_]*)*)\)$/.exec(place) ?? [];
  return variables === undefined ? (FLAGS[name] ?? name) : `env ${variables}`;
}

/** What a sink said when it was to be made: `what (from where). fix`, or sentences. */
function configuration(problem: string): Finding {
  const [, what = problem, where = '', fix = ''] =
    /^(.*?) \(from ([^)]*)\)\. (.*)$/s.exec(problem) ?? /^(.*?\.)()\s+(.*)$/s.exec(problem) ?? [];
  const [named = 'the environment'] = /\b(?:env )?[A-Z][A-Z0-9]*_[A-Z0-9_]+\b/.exec(problem) ?? [];
  return { code: 'configuration', what: what.replace(/\.$/, ''), where: where === '' ? named : where, fix };
}
