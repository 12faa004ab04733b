import { contentNeeds } from './capture/policy.ts';
import { type Loopback, type LoopbackStats, startLoopback } from './loopback/start-loopback.ts';
import { type IdSource, parseTraceparent, randomIds, type TraceContext } from './model/ids.ts';
import type { Diag, SinkStats } from './model/sink.ts';
import { type Clock, systemClock } from './model/time.ts';
import { stderrDiag } from './otlp/config/stderr-diag.ts';
import type { Environment } from './sources/sdk/child-environment.ts';
import { type QueryFunction, wrapQueryFunction } from './sources/sdk/wrap-query.ts';
import type { BeginWatch } from './sources/sdk/query-watch.ts';
import { type HandledCall, wrapSdkNamespace } from './sources/sdk/wrap-sdk.ts';
import { watchExit } from './tracing/exit.ts';
import { FanOut } from './tracing/fan-out.ts';
import { Guarded } from './tracing/guard.ts';
import {
  checkOptions,
  plainAttributes,
  routesOf,
  type TracingOptions,
  type UserAttributes,
} from './tracing/options.ts';
import { type QueryContext, type QueryCounters, QueryTrace } from './tracing/query-trace.ts';
import { Steps } from './tracing/steps.ts';

export interface TracingStats {
  readonly sinks: Readonly<Record<string, SinkStats>>;
  readonly loopback?: LoopbackStats;
  readonly queries: { readonly open: number; readonly settled: number };
  /**
   * Observations that came after their span had ended, that were delivered twice, or that belonged nowhere; and records of the CLI of
   * which nothing is known.
   */
  readonly observations: Readonly<QueryCounters>;
  /** Faults of sinks, redactors and our own code that were kept out of the program. */
  readonly caught: number;
}

export interface Tracing extends AsyncDisposable {
  /** The SDK's module namespace, with `query`, `startup`, `prewarm` and `createSdkMcpServer` traced; the rest is passed on. */
  wrapSdk<S extends object>(sdk: S): S;
  wrapQuery<Q extends QueryFunction>(query: Q): Q;
  /** Runs a step of the user's own in a span; queries inside nest under it. */
  span<T>(name: string, run: () => T): T;
  withAttributes<T>(attributes: UserAttributes, run: () => T): T;
  /** Settles when the receiver of the CLI's telemetry listens, or it is clear that it will not. */
  ready(): Promise<void>;
  /** Waits for queries that have ended, then for sinks; rejects when something was not delivered in time. */
  flush(deadlineMs?: number): Promise<void>;
  /** Ends what is open, flushes, and lets go of everything. Never rejects: what was not delivered is told to diagnostics and counted. */
  close(deadlineMs?: number): Promise<void>;
  stats(): TracingStats;
}

const DEADLINE_MS = 5_000;
const EXIT_MS = 2_000;
/** A CLI that keeps silent (a settings file forbids it to speak) is asked again after so many queries. */
const SILENT_QUERIES = 20;

/**
 * Starts tracing. Throws a `ConfigurationError` when an option is wrong; after that nothing of it throws into the program.
 *
 * @example
 * const tracing = createTracing({ sinks: [consoleSink()] });
 * const { query } = tracing.wrapSdk(sdk);
 */
export function createTracing(options: TracingOptions): Tracing {
  return new LiveTracing(checkOptions(options));
}

interface ContextParts {
  readonly environment: () => Environment;
  readonly ids: IdSource;
  readonly clock: Clock;
  readonly needsOutputs: boolean;
}

class LiveTracing implements Tracing {
  readonly #guarded: Guarded;
  readonly #diag: Diag;
  readonly #fanOut: FanOut;
  readonly #steps: Steps;
  readonly #loopback: Loopback | undefined;
  readonly #open: Set<QueryTrace> = new Set();
  readonly #counters: QueryCounters = { late: 0, duplicate: 0, unplaced: 0, unknown: 0 };
  readonly #begin: BeginWatch;
  readonly #stopWatchingExit: () => void;
  readonly #waiters: Set<() => void> = new Set();
  /** For how many queries more the CLI, which kept silent, is not asked again. */
  #silentFor = 0;
  #settled = 0;
  /** How much sinks had been handed when the event loop ran empty; -1 = it never has. */
  #handedBeforeExit = -1;
  #closing: Promise<void> | undefined;

  constructor(options: TracingOptions) {
    const environment = (): Environment => process.env;
    const ids = randomIds();
    const clock = systemClock();
    const diag = options.diag ?? stderrDiag(environment());
    const guarded = new Guarded(diag);
    const routes = routesOf(options, environment());
    for (const { sink } of routes) guarded.run(`${sink.name}.useDiag`, () => sink.useDiag?.(diag));
    this.#guarded = guarded;
    this.#diag = diag;
    this.#fanOut = new FanOut(routes, guarded);
    const outer = (): TraceContext | undefined =>
      this.#fanOut.ambient() ?? parseTraceparent(environment()['TRACEPARENT'], environment()['TRACESTATE']);
    this.#steps = new Steps({ fanOut: this.#fanOut, ids, clock, attributes: options.attributes ?? {}, outer });
    const { cliTelemetry = 'auto' } = options;
    this.#loopback =
      cliTelemetry === 'off'
        ? undefined
        : startLoopback({
            onFailure: (failure) =>
              diag(
                'warn',
                `CLI telemetry is not received (${failure.code}: ${failure.message}); partial messages are used instead`,
              ),
            onError: (error) =>
              guarded.run('loopback', () => {
                throw error;
              }),
          });
    const context = this.#queryContext(options, {
      environment,
      ids,
      clock,
      needsOutputs: contentNeeds(routes.map((route) => route.policy)).outputs,
    });
    this.#begin = (userOptions) => {
      if (this.#closing !== undefined) return undefined;
      const query = new QueryTrace(context, userOptions, this.#steps.current);
      this.#open.add(query);
      return query;
    };
    this.#stopWatchingExit = watchExit({
      flush: () => this.#flushBeforeExit(),
      finish: () => this.#finish(),
      persistSync: () => this.#persistSync(),
    });
  }

  #queryContext(options: TracingOptions, { environment, ids, clock, needsOutputs }: ContextParts): QueryContext {
    return {
      fanOut: this.#fanOut,
      loopback: this.#loopback,
      cliTelemetry: options.cliTelemetry ?? 'auto',
      // The stream shows all content but the answers of calls that it hides.
      cliContent: { prompts: false, outputs: needsOutputs, toolDetails: false, toolOutputs: false },
      useHooks: options.hooks ?? false,
      agentName: options.agentName ?? 'claude',
      environment,
      clock,
      ids,
      guard: <T>(what: string, run: () => T): T | undefined => this.#guarded.run(what, run),
      surroundings: () => this.#steps.current,
      onNotReady: once(() => {
        // A failure has been told already, with its reason.
        if (this.#loopback?.stats().state !== 'starting') return;
        this.#diag('warn', NOT_READY);
      }),
      isCliSilent: () => this.#silentFor > 0 && this.#silentFor-- > 0,
      onLate: () => {
        this.#counters.late += 1;
      },
      onSettled: (query: QueryTrace) => this.#querySettled(query),
    };
  }

  wrapQuery<Q extends QueryFunction>(query: Q): Q {
    return wrapQueryFunction(query, this.#begin, (what, run) => this.#guarded.run(what, run));
  }

  wrapSdk<S extends object>(sdk: S): S {
    return wrapSdkNamespace(sdk, {
      begin: this.#begin,
      guard: (what, run) => this.#guarded.run(what, run),
      runHandler: (call, run) => this.#runHandler(call, run),
    });
  }

  span<T>(name: string, run: () => T): T {
    return this.#steps.span(name, run);
  }

  withAttributes<T>(attributes: UserAttributes, run: () => T): T {
    const plain = this.#guarded.run('withAttributes', () => plainAttributes(attributes)) ?? {};
    return this.#steps.withAttributes(plain, run);
  }

  async ready(): Promise<void> {
    await this.#loopback?.ready();
  }

  async flush(deadlineMs: number = DEADLINE_MS): Promise<void> {
    const until = performance.now() + deadlineMs;
    await this.#endedQueries(deadlineMs);
    await this.#fanOut.each('flush', Math.max(0, until - performance.now()));
  }

  async close(deadlineMs: number = DEADLINE_MS): Promise<void> {
    this.#closing ??= this.#close(deadlineMs);
    return this.#closing;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.close();
  }

  stats(): TracingStats {
    const observations = { ...this.#counters };
    for (const query of this.#open) addCounters(observations, query.counters);
    const loopback = this.#loopback?.stats();
    return {
      sinks: this.#fanOut.stats(),
      ...(loopback === undefined ? {} : { loopback }),
      queries: { open: this.#open.size, settled: this.#settled },
      observations,
      caught: this.#guarded.caught,
    };
  }

  async #close(deadlineMs: number): Promise<void> {
    const until = performance.now() + deadlineMs;
    this.#stopWatchingExit();
    await this.#endedQueries(deadlineMs);
    for (const query of [...this.#open]) query.settle();
    // A program that is about to end must not fail because its telemetry did: sinks have told their diagnostics why.
    await this.#fanOut
      .each('close', Math.max(0, until - performance.now()))
      .catch((error: unknown) => this.#diag('warn', undelivered(error)));
    await this.#loopback?.close();
  }

  /** Queries that are let go of have a process that is about to tell the rest. */
  async #endedQueries(deadlineMs: number): Promise<void> {
    if (!this.#hasEndedQueries()) return;
    await new Promise<void>((resolve) => {
      const done = (): void => {
        clearTimeout(timer);
        this.#waiters.delete(check);
        resolve();
      };
      const check = (): void => {
        if (!this.#hasEndedQueries()) done();
      };
      const timer = setTimeout(done, deadlineMs / 2);
      this.#waiters.add(check);
    });
    for (const query of [...this.#open]) if (query.isOver) query.settle();
  }

  #hasEndedQueries(): boolean {
    return [...this.#open].some((query) => query.isOver);
  }

  #querySettled(query: QueryTrace): void {
    this.#open.delete(query);
    this.#settled += 1;
    if (query.wasCliSilent) this.#silentFor = SILENT_QUERIES;
    addCounters(this.#counters, query.counters);
    for (const check of this.#waiters) check();
  }

  #runHandler<T>({ server, ...call }: HandledCall, run: () => T): T {
    const place = this.#guarded.run('tool handler', () => this.#queryOf(call.toolCallId, server)?.handlerStarted(call));
    if (place === undefined) return run();
    return this.#steps.inside(place, run);
  }

  /** Ids of tool calls are unique within a session only: the server tells whose call it is, and among several who waits for it. */
  #queryOf(toolCallId: string, server: unknown): QueryTrace | undefined {
    const candidates = [...this.#open].filter((query) => query.hasServer(server));
    if (candidates.length === 1) return candidates[0];
    return (candidates.length === 0 ? [...this.#open] : candidates).find((query) => query.knowsTool(toolCallId));
  }

  /** A program may go on after the event loop has run empty: what is new then is flushed too, and nothing else keeps it alive. */
  async #flushBeforeExit(): Promise<void> {
    if (this.#fanOut.handed === this.#handedBeforeExit && !this.#hasEndedQueries()) return;
    const until = performance.now() + EXIT_MS;
    await this.#endedQueries(EXIT_MS);
    this.#handedBeforeExit = this.#fanOut.handed;
    // Nobody else is left to hear of a failure.
    await this.#fanOut
      .each('flush', Math.max(0, until - performance.now()))
      .catch((error: unknown) => this.#diag('warn', undelivered(error)));
  }

  async #finish(): Promise<void> {
    this.#guarded.run('exit', () => this.#loopback?.drainSync());
    for (const query of [...this.#open]) query.settle();
    await this.#fanOut.each('flush', EXIT_MS);
  }

  #persistSync(): void {
    this.#guarded.run('exit', () => this.#loopback?.drainSync());
    for (const query of [...this.#open]) query.settle();
    this.#fanOut.persistSync();
  }
}

const NOT_READY =
  'the receiver of the CLI’s telemetry was not listening after 200 ms, so this query has no cost per call: await tracing.ready() before the first query';

function once(run: () => void): () => void {
  let isDone = false;
  return () => {
    if (!isDone) run();
    isDone = true;
  };
}

function undelivered(error: unknown): string {
  const reasons = error instanceof AggregateError ? error.errors : [error];
  return `not everything was delivered before the end: ${reasons.map((reason) => (reason instanceof Error ? reason.message : String(reason))).join('; ')}`;
}

function addCounters(into: QueryCounters, from: Readonly<QueryCounters>): void {
  into.late += from.late;
  into.duplicate += from.duplicate;
  into.unplaced += from.unplaced;
  into.unknown += from.unknown;
}
