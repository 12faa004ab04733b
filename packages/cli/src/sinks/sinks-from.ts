import type { CaptureOptions, Diag, Sink } from '@spanprism/core';
import type { Environment } from '@spanprism/core/otlp';
import { captureOf } from './capture.ts';

export interface ChosenSinks {
  readonly sinks: readonly Sink[];
  /** Where each sends what it gets, in words; nothing for one that shows it, which comes last. */
  readonly places: readonly string[];
  /** What was asked for and cannot be had, and how to have it; one line each. */
  readonly problems: readonly string[];
  /** What sinks get that do not say so themselves; undefined: what `createSessions` makes of the environment. */
  readonly capture?: CaptureOptions;
  /** Where the local store is, if it is one of them. */
  readonly storePath?: string;
  /** Writes to it here and now: its own thread takes longer to start than a short run has at its end. */
  readonly writeStore?: () => void;
}

export interface SinkSurroundings {
  readonly env: Environment;
  readonly diag: Diag;
  /** False where OpenTelemetry's own variables speak of another's traces. Default true. */
  readonly usesOtlpVariables?: boolean;
}

/** The packages that sinks come from. They are loaded when one is wanted. */
const PACKAGES: Readonly<Record<string, () => Promise<Readonly<Record<string, unknown>>>>> = {
  '@spanprism/claude-langfuse': () => import('@spanprism/claude-langfuse'),
  '@spanprism/claude-logfire': () => import('@spanprism/claude-logfire'),
  '@spanprism/claude-otlp': () => import('@spanprism/claude-otlp'),
};

interface Made {
  readonly sink: Sink;
  readonly place: string;
  readonly storePath?: string;
}

/**
 * The sinks that the environment and the flags ask for; the local store where they ask for none. Throws on a flag that is wrong; what
 * cannot be had is a problem, and the others go on.
 */
export async function sinksFrom(
  surroundings: SinkSurroundings,
  flags: Readonly<Record<string, unknown>>,
): Promise<ChosenSinks> {
  const capture = captureOf(flags['capture']);
  const problems: string[] = [];
  const made: Made[] = [];
  const add = async (make: () => Promise<Made>): Promise<void> => {
    try {
      made.push(await make());
    } catch (error) {
      problems.push(error instanceof Error ? error.message : String(error));
    }
  };
  const chosen = await byEnvironment(surroundings, flags);
  problems.push(...chosen.problems);
  const { 'otlp-endpoint': endpoint, 'logfire-token': token } = flags;
  if (typeof endpoint === 'string') await add(() => otlp(endpoint, surroundings));
  if (typeof token === 'string') await add(() => logfire(token, surroundings));
  const isElsewhere = chosen.sinks.length + made.length + problems.length > 0;
  if (!isElsewhere || flags['store'] === true) await add(() => localStore(capture ?? 'full', surroundings));
  if (flags['trace-console'] === true) await add(() => onConsole(capture));
  const store = made.find((one) => one.storePath !== undefined);
  return {
    sinks: [...chosen.sinks, ...made.map(({ sink }) => sink)],
    places: [...chosen.found, ...made.map(({ place }) => place).filter((place) => place !== '')],
    problems,
    ...(capture === undefined ? {} : { capture }),
    ...(store?.storePath === undefined
      ? {}
      : { storePath: store.storePath, writeStore: () => store.sink.persistSync?.(true) }),
  };
}

async function byEnvironment(
  { env, usesOtlpVariables = true }: SinkSurroundings,
  flags: Readonly<Record<string, unknown>>,
): Promise<{ sinks: readonly Sink[]; found: readonly string[]; problems: readonly string[] }> {
  const { chooseSinks } = await import('@spanprism/register/sinks');
  // A flag says it nearer.
  const ignored = [
    ...(usesOtlpVariables && flags['otlp-endpoint'] === undefined ? [] : OTLP_VARIABLES),
    ...(flags['logfire-token'] === undefined ? [] : ['LOGFIRE_TOKEN']),
  ];
  const environment = Object.fromEntries(Object.entries(env).filter(([name]) => !ignored.includes(name)));
  const surroundings = { environment, isSentryLive: () => false };
  const wanted = new Set<string>();
  chooseSinks(surroundings, (name) => void wanted.add(name));
  const loaded = new Map<string, Readonly<Record<string, unknown>>>();
  for (const name of wanted) {
    const exported = await PACKAGES[name]?.();
    if (exported !== undefined) loaded.set(name, exported);
  }
  return chooseSinks(surroundings, (name) => loaded.get(name));
}

const OTLP_VARIABLES = ['OTEL_EXPORTER_OTLP_ENDPOINT', 'OTEL_EXPORTER_OTLP_TRACES_ENDPOINT'];

async function otlp(url: string, { env, diag }: SinkSurroundings): Promise<Made> {
  const [{ otlpSink }, { shownUrl }] = await Promise.all([
    import('@spanprism/claude-otlp'),
    import('@spanprism/core/otlp'),
  ]);
  // Made first: it says what is wrong with an endpoint.
  const sink = otlpSink({ endpoint: url, environment: env, diag });
  return { sink, place: `otlp (${shownUrl(new URL(url)).replace(/\/$/, '')})` };
}

async function logfire(token: string, { env, diag }: SinkSurroundings): Promise<Made> {
  const { logfireSink } = await import('@spanprism/claude-logfire');
  return { sink: logfireSink({ token, environment: env, diag }), place: 'logfire' };
}

async function localStore(capture: CaptureOptions, { env, diag }: SinkSurroundings): Promise<Made> {
  const { defaultStorePath, sqliteSink } = await import('@spanprism/store');
  const path = defaultStorePath(env);
  return { sink: sqliteSink({ path, capture, diag }), place: path, storePath: path };
}

async function onConsole(capture: CaptureOptions | undefined): Promise<Made> {
  const { consoleSink } = await import('@spanprism/core');
  return { sink: consoleSink(capture === undefined ? {} : { capture }), place: '' };
}
