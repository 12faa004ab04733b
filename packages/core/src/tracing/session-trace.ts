import { Assembler } from '../assemble/assembler.ts';
import { given } from '../model/given.ts';
import type { IdSource, TraceContext } from '../model/ids.ts';
import type { Observation } from '../model/observation.ts';
import type { Attributes } from '../model/span.ts';
import type { Clock } from '../model/time.ts';
import type { OtlpRequest } from '../otlp/records.ts';
import { CliTelemetrySource } from '../sources/cli-telemetry/cli-telemetry.ts';
import { Deadlines } from './deadlines.ts';
import { decided } from './decided.ts';
import type { Delivery, OpenTrace, TraceCounters } from './delivery.ts';

/** Milliseconds that a finished span waits for what another export tells of it. */
const SETTLE_MS = 2_000;

export interface SessionOptions {
  /** The name of the main agent; default: that of all sessions. */
  readonly agentName?: string;
  /** Attributes of every span, beside those of all sessions. */
  readonly attributes?: Attributes;
  /** The span around the session, of another process. */
  readonly parent?: TraceContext;
  /** Where the first turn is: what the child was told of, so that what it starts belongs to it. */
  readonly firstTurn?: TraceContext;
  /** Where ids come from. Default: random ones; an import derives them from keys. */
  readonly ids?: IdSource;
  readonly clock?: Clock;
  /** How long what has ended waits for what another export tells of it; longer than the CLI's export intervals, 2 s unless given. */
  readonly settleMs?: number;
  /**
   * Who will speak of it. The CLI's telemetry, where it is one of them, says when a call, a tool or a turn is over; a transcript
   * beside it, what they were about and how the turn ended.
   */
  readonly sources: readonly ('cli' | 'transcript' | 'wire')[];
  /** False where the CLI's own metrics reach the user's backend by another way. Default true. */
  readonly handsOnMetrics?: boolean;
  /**
   * False where nobody is told when the process ends: what it has counted by then is the totals of its last turn, and by any other
   * moment of nothing, so turns have none. Default true.
   */
  readonly knowsEnd?: boolean;
}

export type SessionEnd = 'process-gone' | 'abort' | 'interrupt';

/** One session of Claude Code that is traced without an SDK. Nothing of it throws. */
export interface Session {
  /** Takes what the CLI exports over OTLP; its metrics go on to sinks. */
  receive(request: OtlpRequest): void;
  /** The number of the turn that a message of the user's began or joined, as far as telemetry has told. */
  turnOf(messageId: string): number | undefined;
  /** Takes what another source saw. */
  observe(observation: Observation): void;
  /**
   * The process is gone, or nothing more will be told of it: every span ends with what is known now. `abort`: somebody has stopped it;
   * `interrupt`: at its keyboard.
   */
  end(by?: SessionEnd): void;
  /** Lets go of it without a word to sinks about what is open: whoever has kept what it was told will tell it again. */
  discard(): void;
  readonly isOver: boolean;
  readonly counters: Readonly<TraceCounters>;
}

export interface SessionDefaults {
  readonly agentName: string;
  readonly attributes: Attributes;
  readonly ids: IdSource;
  readonly clock: Clock;
}

export class SessionTrace implements Session, OpenTrace {
  readonly #delivery: Delivery;
  readonly #clock: Clock;
  readonly #assembler: Assembler;
  readonly #cli: CliTelemetrySource;
  readonly #deadlines: Deadlines;
  #isOver = false;

  constructor(options: SessionOptions, defaults: SessionDefaults, delivery: Delivery) {
    const { parent, clock = defaults.clock } = options;
    const hasTelemetry = options.sources.includes('cli');
    const hasStream = !hasTelemetry || options.sources.includes('transcript');
    this.#delivery = delivery;
    this.#clock = clock;
    this.#assembler = new Assembler({
      output: decided(delivery.fanOut, () => parent?.sampled),
      ids: options.ids ?? defaults.ids,
      clock,
      // One of them has to say when something is over.
      expects: { sdk: hasStream, cli: hasTelemetry },
      agentName: options.agentName ?? defaults.agentName,
      attributes: { ...defaults.attributes, ...options.attributes },
      ...(parent === undefined ? {} : { parent: { ...parent, isRemote: true } }),
      ...given('firstTurn', options.firstTurn),
      settleMs: options.settleMs ?? SETTLE_MS,
      isResumed: false,
    });
    this.#cli = new CliTelemetrySource({
      observe: (observation) => {
        if (observation.type !== 'counters' || options.knowsEnd !== false) this.#assembler.observe(observation);
      },
      ...(options.handsOnMetrics === false ? {} : { metrics: (points) => delivery.fanOut.metrics(points) }),
      askedParty: 'user',
      hasStream,
      showHooks: true,
    });
    this.#deadlines = new Deadlines({
      assembler: this.#assembler,
      guard: (what, run) => delivery.guarded.run(what, run),
      drain: () => false,
      isDone: () => this.#isOver,
    });
  }

  get isOver(): boolean {
    return this.#isOver;
  }

  get counters(): Readonly<TraceCounters> {
    return { ...this.#assembler.counters, unknown: this.#cli.counters.unknown };
  }

  receive(request: OtlpRequest): void {
    this.#take('CLI telemetry', () => this.#assembler.together(() => this.#cli.receive(request)));
  }

  turnOf(messageId: string): number | undefined {
    return this.#cli.turnOf(messageId);
  }

  observe(observation: Observation): void {
    this.#take('observation', () => this.#assembler.observe(observation));
  }

  end(by: SessionEnd = 'process-gone'): void {
    if (this.#isOver) return;
    this.#isOver = true;
    this.#deadlines.stop();
    const at = this.#clock.now();
    this.#delivery.guarded.run('settle', () => {
      // An interrupt alone is the end of a turn, not of its process.
      for (const one of by === 'interrupt' ? (['interrupt', 'abort'] as const) : [by])
        this.#assembler.observe({ type: 'query-end', id: `end:${one}:${at}`, source: 'cli', at, by: one });
      this.#assembler.end();
    });
    this.#delivery.settled(this);
  }

  discard(): void {
    if (this.#isOver) return;
    this.#isOver = true;
    this.#deadlines.stop();
    this.#delivery.settled(this);
  }

  settle(): void {
    this.end();
  }

  #take(what: string, run: () => void): void {
    if (this.#isOver) {
      this.#delivery.counters.late += 1;
      return;
    }
    this.#delivery.guarded.run(what, run);
    this.#deadlines.arm();
  }
}
