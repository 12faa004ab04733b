import { type Loopback, type LoopbackStats, startLoopback } from './loopback/start-loopback.ts';
import { startWire, type Wire, type WireStats } from './loopback/wire/start-wire.ts';
import { given } from './model/given.ts';
import { type IdSource, parseTraceparent, randomIds, type TraceContext } from './model/ids.ts';
import { type Clock, systemClock } from './model/time.ts';
import type { Environment } from './sources/sdk/child-environment.ts';
import { type QueryFunction, wrapQueryFunction } from './sources/sdk/wrap-query.ts';
import type { BeginWatch } from './sources/sdk/query-watch.ts';
import { type HandledCall, wrapSdkNamespace } from './sources/sdk/wrap-sdk.ts';
import { DEADLINE_MS, Delivery, type DeliveryStats } from './tracing/delivery.ts';
import { checkOptions, plainAttributes, type TracingOptions, type UserAttributes } from './tracing/options.ts';
import type { QueryContext } from './tracing/query-context.ts';
import { QueryTrace } from './tracing/query-trace.ts';
import { Steps } from './tracing/steps.ts';

export interface TracingStats extends DeliveryStats {
  readonly loopback?: LoopbackStats;
  readonly wire?: WireStats;
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
}

class LiveTracing implements Tracing {
  readonly #delivery: Delivery;
  readonly #steps: Steps;
  readonly #loopback: Loopback | undefined;
  readonly #wire: Wire | undefined;
  readonly #open: Set<QueryTrace> = new Set();
  readonly #begin: BeginWatch;
  /** For how many queries more the CLI, which kept silent, is not asked again. */
  #silentFor = 0;
  #closing: Promise<void> | undefined;

  constructor(options: TracingOptions) {
    const environment = (): Environment => process.env;
    const ids = randomIds();
    const clock = systemClock();
    const delivery = new Delivery(options, { environment: environment(), drain: () => this.#loopback?.drainSync() });
    const { fanOut, guarded, diag } = delivery;
    this.#delivery = delivery;
    const outer = (): TraceContext | undefined =>
      fanOut.ambient() ?? parseTraceparent(environment()['TRACEPARENT'], environment()['TRACESTATE']);
    this.#steps = new Steps({ fanOut, ids, clock, attributes: options.attributes ?? {}, outer });
    const { cliTelemetry = 'auto', wire = false } = options;
    this.#loopback =
      cliTelemetry === 'off' && !wire
        ? undefined
        : startLoopback({
            ...given('waitMs', options.readyWithinMs),
            onFailure: (failure) =>
              diag(
                'warn',
                `CLI telemetry is not received (${failure.code}: ${failure.message}); partial messages are used instead`,
              ),
            onError: (error) => guarded.caughtAt('loopback', error),
          });
    // Without the thread that reads what passes, nothing has to.
    this.#wire =
      !wire || this.#loopback === undefined || this.#loopback.stats().state === 'failed'
        ? undefined
        : startWire({
            reader: this.#loopback,
            ...given('waitMs', options.readyWithinMs),
            onFailure: ({ code, message }) =>
              diag('warn', `requests to the model are not captured (${code}: ${message})`),
            onError: (error) => guarded.caughtAt('wire', error),
          });
    const context = this.#queryContext(options, { environment, ids, clock });
    this.#begin = (userOptions) => {
      if (this.#closing !== undefined) return undefined;
      const query = new QueryTrace(context, userOptions, this.#steps.current);
      this.#open.add(query);
      delivery.opened(query);
      return query;
    };
  }

  #queryContext(options: TracingOptions, { environment, ids, clock }: ContextParts): QueryContext {
    const { fanOut, guarded, diag, counters, needsOutputs } = this.#delivery;
    return {
      fanOut,
      loopback: options.cliTelemetry === 'off' ? undefined : this.#loopback,
      wire: this.#wire,
      cliTelemetry: options.cliTelemetry ?? 'auto',
      // The stream shows all content but the answers of calls that it hides.
      cliContent: { prompts: false, outputs: needsOutputs, toolDetails: false, toolOutputs: false },
      useHooks: options.hooks ?? false,
      agentName: options.agentName ?? 'claude',
      environment,
      clock,
      ids,
      guard: <T>(what: string, run: () => T): T | undefined => guarded.run(what, run),
      surroundings: () => this.#steps.current,
      onNotReady: once(() => {
        // A failure has been told already, with its reason.
        if (this.#loopback?.stats().state !== 'starting') return;
        diag('warn', NOT_READY);
      }),
      onWireLeftAlone: onceEach((reason) => diag('warn', `requests to the model are not captured: ${reason}`)),
      isCliSilent: () => this.#silentFor > 0 && this.#silentFor-- > 0,
      onLate: () => {
        counters.late += 1;
      },
      onSettled: (query: QueryTrace) => this.#querySettled(query),
    };
  }

  wrapQuery<Q extends QueryFunction>(query: Q): Q {
    return wrapQueryFunction(query, this.#begin, (what, run) => this.#delivery.guarded.run(what, run));
  }

  wrapSdk<S extends object>(sdk: S): S {
    return wrapSdkNamespace(sdk, {
      begin: this.#begin,
      guard: (what, run) => this.#delivery.guarded.run(what, run),
      runHandler: (call, run) => this.#runHandler(call, run),
    });
  }

  span<T>(name: string, run: () => T): T {
    return this.#steps.span(name, run);
  }

  withAttributes<T>(attributes: UserAttributes, run: () => T): T {
    const plain = this.#delivery.guarded.run('withAttributes', () => plainAttributes(attributes)) ?? {};
    return this.#steps.withAttributes(plain, run);
  }

  async ready(): Promise<void> {
    await Promise.all([this.#loopback?.ready(), this.#wire?.ready()]);
  }

  async flush(deadlineMs: number = DEADLINE_MS): Promise<void> {
    await this.#delivery.flush(deadlineMs);
  }

  async close(deadlineMs: number = DEADLINE_MS): Promise<void> {
    this.#closing ??= this.#close(deadlineMs);
    return this.#closing;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.close();
  }

  stats(): TracingStats {
    return {
      ...this.#delivery.stats(),
      ...given('loopback', this.#loopback?.stats()),
      ...given('wire', this.#wire?.stats()),
    };
  }

  async #close(deadlineMs: number): Promise<void> {
    // A child that still runs knows one way to its model: through us.
    const hasChildren = [...this.#open].some((query) => !query.isOver);
    await this.#delivery.close(deadlineMs);
    await this.#wire?.close(hasChildren);
    await this.#loopback?.close();
  }

  #querySettled(query: QueryTrace): void {
    this.#open.delete(query);
    if (query.wasCliSilent) this.#silentFor = SILENT_QUERIES;
    this.#delivery.settled(query);
  }

  #runHandler<T>({ server, ...call }: HandledCall, run: () => T): T {
    const place = this.#delivery.guarded.run('tool handler', () =>
      this.#queryOf(call.toolCallId, server)?.handlerStarted(call),
    );
    if (place === undefined) return run();
    return this.#steps.inside(place, run);
  }

  /** Ids of tool calls are unique within a session only: the server tells whose call it is, and among several who waits for it. */
  #queryOf(toolCallId: string, server: unknown): QueryTrace | undefined {
    const candidates = [...this.#open].filter((query) => query.hasServer(server));
    if (candidates.length === 1) return candidates[0];
    return (candidates.length === 0 ? [...this.#open] : candidates).find((query) => query.knowsTool(toolCallId));
  }
}

const NOT_READY =
  'the receiver of the CLI’s telemetry was not listening in time, so this query has no cost per call: await tracing.ready() before the first query, or raise readyWithinMs';

function once(run: () => void): () => void {
  let isDone = false;
  return () => {
    if (!isDone) run();
    isDone = true;
  };
}

/** One line per thing to say. */
function onceEach(say: (text: string) => void): (text: string) => void {
  const said: Set<string> = new Set();
  return (text) => {
    if (!said.has(text)) say(text);
    said.add(text);
  };
}
