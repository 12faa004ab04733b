import { Assembler } from '../../../core/src/assemble/assembler.ts';
import type { RunCounters } from '../../../core/src/assemble/run.ts';
import { type IdSource, randomIds, type SpanId } from '../../../core/src/model/ids.ts';
import type { Observation } from '../../../core/src/model/observation.ts';
import type { Span } from '../../../core/src/model/span.ts';
import { unixNanoFromMs } from '../../../core/src/model/time.ts';
import { CliTelemetrySource } from '../../../core/src/sources/cli-telemetry/cli-telemetry.ts';
import { WireSource } from '../../../core/src/sources/wire/wire-source.ts';
import { MessageReader } from '../../../core/src/sources/sdk/message-reader.ts';
import type { Recording } from '../recordings/recording.ts';
import { type QueryScript, type SourceSet, type Step, scriptsOf } from './script.ts';

/** What a sink is told, in order. */
export type Told =
  | { readonly type: 'start'; readonly span: Span }
  | { readonly type: 'end'; readonly span: Span }
  | { readonly type: 'turn-end'; readonly rootSpanId: SpanId };

export interface Played {
  readonly told: readonly Told[];
  readonly spans: readonly Span[];
  readonly counters: Readonly<RunCounters>;
  /** What the assembler still holds: turns and subagents, and everything. */
  readonly openAgents: number;
  readonly held: number;
}

export interface PlayOptions {
  /** `recorded` (default): timers fire as they would have; `still`: no time passes, so no deadline ever fires. */
  readonly clock?: 'recorded' | 'still';
  /** Stands between the sources and the assembler. */
  readonly relay?: (observe: (observation: Observation) => void) => (observation: Observation) => void;
  readonly ids?: IdSource;
  /** Takes what a source throws; without it, nothing may be thrown. */
  readonly guard?: (error: unknown) => void;
}

const SETTLE_MS = 2_000;
/** From the last that was heard of it until the process has exited. */
const EXIT_MS = 20;

/** Plays a recording through the sources; one entry per query. */
export function replay(recording: Recording, sources: SourceSet): readonly Played[] {
  return scriptsOf(recording, sources).map((script) => play(script));
}

/** Plays one query's script in the order of its steps. */
export function play(script: QueryScript, options: PlayOptions = {}): Played {
  return new Player(script, options).play();
}

class Player {
  readonly #script: QueryScript;
  readonly #options: PlayOptions;
  readonly #isStill: boolean;
  readonly #told: Told[] = [];
  readonly #assembler: Assembler;
  readonly #reader: MessageReader;
  readonly #cli: CliTelemetrySource;
  readonly #wire: WireSource;
  readonly #observe: (observation: Observation) => void;
  /** Milliseconds since 1970: of the step at hand, and of the assembler. */
  #stepMs: number;
  #nowMs: number;
  #ends = 0;

  constructor(script: QueryScript, options: PlayOptions) {
    const { clock = 'recorded', relay, ids = randomIds() } = options;
    this.#script = script;
    this.#options = options;
    this.#isStill = clock === 'still';
    this.#stepMs = script.epochMs;
    this.#nowMs = this.#isStill ? script.epochMs + 600_000 : script.epochMs;
    this.#assembler = this.#newAssembler(ids);
    const observe = (observation: Observation): void => this.#assembler.observe(observation);
    this.#observe = relay?.(observe) ?? observe;
    this.#reader = new MessageReader({
      observe: this.#observe,
      clock: { now: () => unixNanoFromMs(this.#stepMs) },
      readHooks: false,
    });
    this.#wire = new WireSource({ observe: this.#observe });
    this.#cli = new CliTelemetrySource({
      observe: this.#observe,
      askedParty: script.sources === 'cli' ? 'user' : 'host',
      hasStream: script.sources !== 'cli',
      showHooks: false,
    });
  }

  play(): Played {
    for (const step of this.#script.steps) this.#guarded(step);
    this.#passTo(this.#stepMs + EXIT_MS);
    if (!this.#isStill) this.#end('process-gone');
    this.#assembler.end();
    const { openAgents, held } = this.#assembler;
    const spans = this.#told.flatMap((told) => (told.type === 'end' ? [told.span] : []));
    return { told: this.#told, spans, counters: this.#assembler.counters, openAgents, held };
  }

  #newAssembler(ids: IdSource): Assembler {
    const { sources, parent, steps } = this.#script;
    return new Assembler({
      output: {
        start: (span) => void this.#told.push({ type: 'start', span }),
        end: (span) => void this.#told.push({ type: 'end', span }),
        turnEnd: (rootSpanId) => void this.#told.push({ type: 'turn-end', rootSpanId }),
      },
      ids,
      clock: { now: () => unixNanoFromMs(this.#nowMs) },
      expects: {
        sdk: sources !== 'cli',
        cli: sources === 'cli' || sources === 'sdk+cli',
        wire: steps.some(({ stream }) => stream === 'wire'),
      },
      agentName: 'main',
      attributes: {},
      settleMs: SETTLE_MS,
      isResumed: false,
      ...(parent === undefined ? {} : { parent }),
    });
  }

  #guarded(step: Step): void {
    const { guard } = this.#options;
    try {
      this.#take(step);
    } catch (error) {
      if (guard === undefined) throw error;
      guard(error);
    }
  }

  #take({ atMs, what }: Step): void {
    this.#stepMs = this.#script.epochMs + atMs;
    this.#passTo(this.#stepMs);
    if (what.type === 'prompt') this.#reader.promptGiven(what.text);
    else if (what.type === 'prompt-taken') this.#reader.promptTaken(what.message);
    else if (what.type === 'message') this.#reader.read(what.message);
    else if (what.type === 'telemetry') this.#cli.receive(what.request);
    else if (what.type === 'exchange') this.#wire.receive(what.exchange);
    else this.#end(what.by);
  }

  #end(by: (Step['what'] & { readonly type: 'query-end' })['by'] | 'process-gone'): void {
    this.#ends += 1;
    this.#observe({
      type: 'query-end',
      id: `end:${by}:${this.#ends}`,
      source: 'sdk',
      at: unixNanoFromMs(this.#stepMs),
      by,
    });
  }

  /** Timers fire when they are due, not when the next thing happens. */
  #passTo(timeMs: number): void {
    if (this.#isStill) return;
    for (;;) {
      const wait = this.#assembler.nextDeadlineMs();
      if (wait === undefined || this.#nowMs + wait > timeMs) break;
      this.#nowMs += Math.max(wait, 1);
      this.#assembler.sweep();
    }
    this.#nowMs = Math.max(this.#nowMs, timeMs);
  }
}
