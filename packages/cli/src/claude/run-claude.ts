import type { Attributes, Diag } from '@spanprism/core';
import { parseTraceparent, randomIds, type TraceContext } from '@spanprism/core/child';
import type { SessionEnd } from '@spanprism/core/sessions';
import type { ChildWire } from '@spanprism/core/wire';
import type { CommandInput, Io } from '../command.ts';
import { captureOf } from '../sinks/capture.ts';
import { endLike, startChild } from './child.ts';
import { environmentOf } from './child-environment.ts';
import { endedBy } from './ended-by.ts';
import { findClaude, ranMark } from './find-claude.ts';
import { toLineStart } from './line-start.ts';
import { type OpenPort, openPort } from './open-port.ts';
import { type OwnTelemetry, ownTelemetry } from './own-telemetry.ts';
import { fillRandom } from './random-bytes.ts';
import { gitBranch, projectName } from './surroundings.ts';
import { type OverrideSearch, settingsEnvironment, settingsOverrides } from './settings-override.ts';
import type { RunTrace, TraceRunParts } from './trace-run.ts';

/** What the end of a run may take beyond that of `claude`, and only where a backend or the disk is slow. */
const FINISH_MS = 2_000;
/** Of that, for what sinks say of what they could not deliver. */
const LAST_WORDS_MS = 200;

/** As long as `claude` is starting, it needs the processor, and we do not. */
const START_MS = 150;

const NANOS_PER_MS = 1_000_000n;

/** With these, `claude` runs nothing that could be traced. */
const TELLS_ONLY: ReadonlySet<string> = new Set(['--version', '-v', '--help', '-h']);

/** Runs `claude` and ends this process as it ended. Rejects when there is no `claude`; whatever fails of tracing, it runs. */
export async function runClaude({ values, positionals }: CommandInput, io: Io): Promise<never> {
  const capture = captureOf(values['capture']);
  const program = findClaude(io).path;
  const lines: string[] = [];
  const start = await beginning(io, positionals, lines);
  const wire = start !== undefined && values['wire'] === true ? await wired(io, lines) : undefined;
  const env =
    start === undefined
      ? io.env
      : { ...environmentOf({ ...start, wantsContent: capture !== 'metadata' }), ...wire?.additions };
  const mark = ranMark(program, io.env);
  const said = (error: unknown): void => void lines.push(`tracing broke: ${wordsOf(error)}`);
  // Whatever breaks here, `claude` goes on, and we stay for its end.
  process.on('uncaughtException', said);
  process.on('unhandledRejection', said);
  const startedAt = BigInt(io.now().getTime()) * NANOS_PER_MS;
  const child = await startChild({ program, args: positionals, env: { ...env, ...mark } }).catch((error: unknown) => {
    start?.port.close();
    throw error;
  });
  // Loaded while `claude` is at work: it waits for nothing of this.
  const trace =
    start === undefined
      ? undefined
      : loaded(
          { ...start, flags: values, args: positionals, startedAt, ...(wire === undefined ? {} : { wire }) },
          lines,
        );
  const ending = await child.ended;
  if (start !== undefined && trace !== undefined) {
    lines.push(...(await reported({ trace, port: start.port, by: endedBy(ending) })));
    if (!positionals.some((arg) => TELLS_ONLY.has(arg)))
      lines.push(...overridden({ env: io.env, cwd: io.cwd, args: positionals, made: env }));
  }
  if (values['quiet'] !== true && lines.length > 0)
    io.stderr.write(`${toLineStart(io.stderr)}${lines.map((line) => `spanprism: ${line}\n`).join('')}`);
  return endLike(ending);
}

interface Beginning extends Omit<TraceRunParts, 'flags' | 'args' | 'startedAt' | 'wire'> {
  readonly own: OwnTelemetry;
  readonly context: TraceContext;
  readonly endpoint: (signal: string) => string;
}

/** Everything that has to be known before `claude` can start; undefined when it is to run untraced. */
async function beginning(io: Io, args: readonly string[], lines: string[]): Promise<Beginning | undefined> {
  const { env, cwd } = io;
  if (env['OTEL_SDK_DISABLED']?.trim().toLowerCase() === 'true') return undefined;
  try {
    const port = await openPort();
    const ids = randomIds(fillRandom);
    // As long as a trace's id, and as hard to guess.
    const token = ids.traceId();
    const exported = { ...env, ...settingsEnvironment({ env, cwd, args }) };
    const own = ownTelemetry(exported);
    const parent = parseTraceparent(env['TRACEPARENT'], env['TRACESTATE']);
    const minted = { traceId: parent?.traceId ?? ids.traceId(), spanId: ids.spanId(), sampled: true };
    const context = parent?.traceState === undefined ? minted : { ...minted, traceState: parent.traceState };
    return {
      env,
      exported,
      port,
      token,
      own,
      context,
      endpoint: (signal) => `http://127.0.0.1:${port.port}/${token}/v1/${signal}`,
      attributes: attributesOf(cwd),
      diag: collecting(io, lines),
      ...(parent === undefined ? {} : { parent }),
      // Where the user's own spans stay where they are, the child is told nothing else.
      ...(own.traces === undefined ? { firstTurn: context } : {}),
    };
  } catch (error) {
    lines.push(`this run is not traced: ${wordsOf(error)}`);
    return undefined;
  }
}

async function wired({ env }: Io, lines: string[]): Promise<ChildWire | undefined> {
  try {
    const { childWire } = await import('@spanprism/core/wire');
    return await childWire({
      environment: env,
      onLeftAlone: (reason) => lines.push(`requests to the model are not captured: ${reason}`),
    });
  } catch (error) {
    lines.push(`requests to the model are not captured: ${wordsOf(error)}`);
    return undefined;
  }
}

function attributesOf(cwd: string): Attributes {
  const branch = gitBranch(cwd);
  return { project: projectName(cwd), ...(branch === undefined ? {} : { 'vcs.ref.head.name': branch }) };
}

/** The terminal is `claude`'s until it has ended. */
function collecting({ env }: Io, lines: string[]): Diag {
  const isVerbose = env['OTEL_DEBUG'] === '1' || env['OTEL_DEBUG'] === 'true';
  return (level, message) => {
    if ((isVerbose || level === 'warn' || level === 'error') && !lines.includes(message)) lines.push(message);
  };
}

async function loaded(parts: TraceRunParts, lines: string[]): Promise<RunTrace | undefined> {
  try {
    await Promise.race([parts.port.used, pause(START_MS)]);
    const { traceRun } = await import('./trace-run.ts');
    const trace = await traceRun(parts);
    // Needed when `claude` has ended, when every millisecond is one that somebody waits.
    await Promise.all([import('./last-lines.ts'), import('./settings-override.ts')]);
    return trace;
  } catch (error) {
    parts.port.close();
    lines.push(`this run was not traced: ${wordsOf(error)}`);
    return undefined;
  }
}

interface Finishing {
  readonly trace: Promise<RunTrace | undefined>;
  readonly port: OpenPort;
  readonly by: SessionEnd;
}

/** What is to be said of the run; nothing of one that sent nothing. */
async function reported({ trace, port, by }: Finishing): Promise<readonly string[]> {
  // What has connected before the child was gone is in the queue of events that came with its end.
  await turnOfEvents();
  await turnOfEvents();
  if (!port.wasUsed) return [];
  const late = new Promise<undefined>((resolve) => {
    setTimeout(() => resolve(undefined), FINISH_MS);
  });
  try {
    const finished = trace.then(async (run) => ({ report: await run?.finish(by, FINISH_MS - LAST_WORDS_MS) }));
    const outcome = await Promise.race([finished, late]);
    if (outcome === undefined) return [`the trace of this run was not delivered within ${FINISH_MS / 1000} s`];
    const { report } = outcome;
    if (report === undefined || report.received === 0) return [];
    // A session that is left at once, or a command line that `claude` refuses, says that it began, and nothing more.
    if (report.totals.spans === 0) return report.chosen.problems;
    const { summaryOf } = await import('./last-lines.ts');
    return [...report.chosen.problems, summaryOf(report)];
  } catch (error) {
    return [`this run was not traced: ${wordsOf(error)}`];
  }
}

/** Why the trace of a run may lack what telemetry tells. */
function overridden(search: OverrideSearch): readonly string[] {
  return settingsOverrides(search).map(
    ({ file, names }) =>
      `${file} sets ${names.join(', ')} over ours, so this run may be traced in part or not at all: take it out there`,
  );
}

function pause(ms: number): Promise<void> {
  return new Promise((resolve) => {
    setTimeout(resolve, ms);
  });
}

function turnOfEvents(): Promise<void> {
  return new Promise((resolve) => {
    setImmediate(resolve);
  });
}

function wordsOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
