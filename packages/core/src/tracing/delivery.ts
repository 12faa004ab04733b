import type { RunCounters } from '../assemble/run.ts';
import type { Diag, SinkStats } from '../model/sink.ts';
import { stderrDiag } from '../otlp/config/stderr-diag.ts';
import type { Environment } from '../sources/sdk/child-environment.ts';
import { type CapturePolicy, contentNeeds } from '../capture/policy.ts';
import { watchExit } from './exit.ts';
import { FanOut } from './fan-out.ts';
import { Guarded } from './guard.ts';
import { routesOf, type TracingOptions } from './options.ts';
import { tellUndelivered } from './tell-undelivered.ts';

export const DEADLINE_MS = 5_000;
const EXIT_MS = 2_000;

/** What was seen of a query or session but could not be used, by any source. */
export interface TraceCounters extends RunCounters {
  unknown: number;
}

/** A query or session that is being traced. */
export interface OpenTrace {
  /** It has been let go of, and waits only for what its process still has to tell. */
  readonly isOver: boolean;
  readonly counters: Readonly<TraceCounters>;
  /** Ends every span with what is known now. */
  settle(): void;
}

export interface DeliveryStats {
  readonly sinks: Readonly<Record<string, SinkStats>>;
  readonly queries: { readonly open: number; readonly settled: number };
  /**
   * Observations that came after their span had ended, that were delivered twice, or that belonged nowhere; and records of the CLI of
   * which nothing is known.
   */
  readonly observations: Readonly<TraceCounters>;
  /** Faults of sinks, redactors and our own code that were kept out of the program. */
  readonly caught: number;
}

export interface DeliverySurroundings {
  readonly environment: Environment;
  /** Hands out, now, what has been received and not been looked at. */
  readonly drain?: () => void;
  /** Where somebody else hears of SIGTERM too, what is open stays open: he says when it is over. */
  readonly outlivesSignals?: boolean;
}

/**
 * What all that is traced has in common: sinks, each behind its capture policy and the guard, and the waits of flush, close and the
 * end of the process.
 */
export class Delivery {
  readonly guarded: Guarded;
  readonly diag: Diag;
  readonly fanOut: FanOut;
  readonly counters: TraceCounters = { late: 0, duplicate: 0, unplaced: 0, unknown: 0 };
  readonly #open: Set<OpenTrace> = new Set();
  readonly #policies: readonly CapturePolicy[];
  readonly #drain: () => void;
  readonly #stopWatchingExit: () => void;
  readonly #waiters: Set<() => void> = new Set();
  #settled = 0;
  /** How much sinks had been handed when the event loop ran empty; -1 = it never has. */
  #handedBeforeExit = -1;

  constructor(options: TracingOptions, surroundings: DeliverySurroundings) {
    const { environment, drain = () => undefined, outlivesSignals = false } = surroundings;
    const diag = (this.diag = options.diag ?? stderrDiag(environment));
    const guarded = (this.guarded = new Guarded(diag));
    const routes = routesOf(options, environment);
    for (const { sink } of routes) guarded.run(`${sink.name}.useDiag`, () => sink.useDiag?.(diag));
    this.#policies = routes.map((route) => route.policy);
    this.fanOut = new FanOut(routes, guarded);
    this.#drain = drain;
    this.#stopWatchingExit = watchExit({
      flush: () => this.#flushBeforeExit(),
      finish: () => this.#finish(),
      persistSync: (isFinal = false) => {
        if (isFinal || !outlivesSignals) this.#settleAll();
        this.fanOut.persistSync(isFinal);
      },
    });
  }

  /** Whether some sink may see what models answer. */
  get needsOutputs(): boolean {
    return contentNeeds(this.#policies).outputs;
  }

  opened(trace: OpenTrace): void {
    this.#open.add(trace);
  }

  /** To be told once of each that was opened. */
  settled(trace: OpenTrace): void {
    this.#open.delete(trace);
    this.#settled += 1;
    addCounters(this.counters, trace.counters);
    for (const check of this.#waiters) check();
  }

  /** Waits for what has been let go of, then for sinks; rejects when something was not delivered in time. */
  async flush(deadlineMs: number): Promise<void> {
    const until = performance.now() + deadlineMs;
    await this.#overTraces(deadlineMs);
    await this.fanOut.each('flush', Math.max(0, until - performance.now()));
  }

  /** Ends what is open and lets go of sinks. Never rejects. */
  async close(deadlineMs: number): Promise<void> {
    const until = performance.now() + deadlineMs;
    this.#stopWatchingExit();
    await this.#overTraces(deadlineMs);
    for (const trace of [...this.#open]) trace.settle();
    // A program that is about to end must not fail because its telemetry did.
    await this.#told('close', until);
  }

  stats(): DeliveryStats {
    const observations = { ...this.counters };
    for (const trace of this.#open) addCounters(observations, trace.counters);
    return {
      sinks: this.fanOut.stats(),
      queries: { open: this.#open.size, settled: this.#settled },
      observations,
      caught: this.guarded.caught,
    };
  }

  /** Queries that are let go of have a process that is about to tell the rest. */
  async #overTraces(deadlineMs: number): Promise<void> {
    if (!this.#hasOverTraces()) return;
    await new Promise<void>((resolve) => {
      const done = (): void => {
        clearTimeout(timer);
        this.#waiters.delete(check);
        resolve();
      };
      const check = (): void => {
        if (!this.#hasOverTraces()) done();
      };
      const timer = setTimeout(done, deadlineMs / 2);
      this.#waiters.add(check);
    });
    for (const trace of [...this.#open]) if (trace.isOver) trace.settle();
  }

  #hasOverTraces(): boolean {
    return [...this.#open].some((trace) => trace.isOver);
  }

  /** A program may go on after the event loop has run empty: what is new then is flushed too, and nothing else keeps it alive. */
  async #flushBeforeExit(): Promise<void> {
    if (this.fanOut.handed === this.#handedBeforeExit && !this.#hasOverTraces()) return;
    const until = performance.now() + EXIT_MS;
    await this.#overTraces(EXIT_MS);
    this.#handedBeforeExit = this.fanOut.handed;
    // Nobody else is left to hear of a failure.
    await this.#told('flush', until);
  }

  async #told(what: 'flush' | 'close', until: number): Promise<void> {
    await this.fanOut
      .each(what, Math.max(0, until - performance.now()))
      .catch((error: unknown) => tellUndelivered(this.diag, error));
  }

  async #finish(): Promise<void> {
    this.#settleAll();
    await this.fanOut.each('flush', EXIT_MS);
  }

  #settleAll(): void {
    this.guarded.run('exit', this.#drain);
    for (const trace of [...this.#open]) trace.settle();
  }
}

function addCounters(into: TraceCounters, from: Readonly<TraceCounters>): void {
  into.late += from.late;
  into.duplicate += from.duplicate;
  into.unplaced += from.unplaced;
  into.unknown += from.unknown;
}
