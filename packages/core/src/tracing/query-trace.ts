import { Assembler } from '../assemble/assembler.ts';
import type { LoopbackRoute } from '../loopback/start-loopback.ts';
import { given } from '../model/given.ts';
import type { TraceContext } from '../model/ids.ts';
import type { QueryEnded } from '../model/observation.ts';
import type { Attributes, Issue, SpanError } from '../model/span.ts';
import { CliTelemetrySource } from '../sources/cli-telemetry/cli-telemetry.ts';
import { childEnvironment, type Environment, passedOn, telemetryWish } from '../sources/sdk/child-environment.ts';
import type { Fields } from '../sources/sdk/guards.ts';
import { fieldsOf } from '../sources/sdk/guards.ts';
import { hiddenMessages } from '../sources/sdk/hidden-messages.ts';
import { withHooks } from '../sources/sdk/hooks.ts';
import { MessageReader } from '../sources/sdk/message-reader.ts';
import type { QueryWatch } from '../sources/sdk/query-watch.ts';
import { withAdditions } from '../sources/sdk/stand-in.ts';
import { Deadlines } from './deadlines.ts';
import { decided } from './decided.ts';
import type { QueryContext } from './query-context.ts';
import type { OpenTrace, TraceCounters } from './delivery.ts';
import { serversOf } from './mcp-servers.ts';
import { QueryWire } from './query-wire.ts';
import { type QueryParent, queryParent, withStateOf } from './query-parent.ts';
import type { Surroundings } from './steps.ts';

/** Milliseconds that a finished span waits for the other source, and a query that was let go of for its process. */
const SETTLE_MS = 2_000;
const PROCESS_END_MS = 5_000;
/** Milliseconds after which a consumer whose child is gone is taken to read no more. */
const IDLE_MS = 30_000;

/** Milliseconds that reading the last exchange may take. */
const WIRE_END_MS = 100;

const BYPASSED =
  'no request passed through: a settings file may set ANTHROPIC_BASE_URL, which goes before the environment';

const UNAVAILABLE: Issue = {
  code: 'telemetry_unavailable',
  message:
    'The loopback thread that receives the CLI’s telemetry could not start; tokens per call come from partial messages, cost only per turn.',
};

/** Where the handler of a tool runs. */
export interface HandlerPlace {
  readonly step: TraceContext;
  readonly traceIsSampled?: boolean;
}

/** Where a query stands among what surrounds it. */
interface Place {
  readonly parent: QueryParent | undefined;
  readonly decision: boolean | undefined;
  readonly attributes: Attributes;
}

/** One query: its child's environment, its sources and its assembler, from `query()` until the child is gone. */
export class QueryTrace implements QueryWatch, OpenTrace {
  readonly #context: QueryContext;
  readonly #userOptions: Fields | undefined;
  readonly #userEnvironment: Environment;
  readonly #route: LoopbackRoute | undefined;
  #cli: CliTelemetrySource | undefined;
  readonly #wire: QueryWire | undefined;
  readonly #assembler: Assembler;
  readonly #deadlines: Deadlines;
  readonly #reader: MessageReader;
  readonly #minted: TraceContext;
  #place: Place;
  readonly isHidden?: (message: unknown) => boolean;
  #options: Fields | undefined;
  #servers: ReadonlySet<unknown> | undefined;
  #endTimer: ReturnType<typeof setTimeout> | undefined;
  /** Whether the message at hand told anything: most partial messages do not. */
  #hasNews = false;
  #batches = 0;
  /** No further prompt can come. */
  #hasAllPrompts = false;
  /** The child was started ahead and nobody has claimed it. */
  #isParked = false;
  #isOver = false;
  #isChildGone = false;
  #isSettled = false;

  constructor(context: QueryContext, userOptions: Fields | undefined, surroundings: Surroundings) {
    this.#context = context;
    this.#userOptions = userOptions;
    const own = fieldsOf(userOptions?.['env']);
    this.#userEnvironment = (own ?? context.environment()) as Environment;
    this.#route = this.#openRoute();
    this.#wire = this.#openWire();
    const { ids, clock, fanOut } = context;
    this.#place = this.#placeOf(surroundings);
    this.#minted = { traceId: this.#place.parent?.traceId ?? ids.traceId(), spanId: ids.spanId(), sampled: true };
    // A warm child is placed anew when it is claimed.
    const place = (): Place => this.#place;
    this.#assembler = new Assembler({
      output: decided(fanOut, () => this.#place.decision),
      ids,
      clock,
      expects: { sdk: true, cli: this.#route !== undefined, wire: this.#wire !== undefined },
      agentName: context.agentName,
      get attributes() {
        return place().attributes;
      },
      get parent() {
        return place().parent;
      },
      firstTurn: this.#minted,
      settleMs: SETTLE_MS,
      isResumed: userOptions?.['resume'] !== undefined || userOptions?.['continue'] === true,
      ...(this.#route === undefined && this.#wantsTelemetry() ? { knownIssues: [UNAVAILABLE] } : {}),
    });
    this.#deadlines = new Deadlines({
      assembler: this.#assembler,
      guard: context.guard,
      drain: () => this.#drain(),
      isDone: () => this.#isDone(),
    });
    this.#reader = new MessageReader({
      observe: (observation) => {
        this.#hasNews = true;
        this.#assembler.observe(observation);
      },
      clock,
      readHooks: this.#route === undefined,
    });
    const hides = {
      partials: this.#route === undefined && !isOn(userOptions, 'includePartialMessages'),
      subagentText: this.#route === undefined && !isOn(userOptions, 'forwardSubagentText'),
    };
    if (hides.partials || hides.subagentText) this.isHidden = hiddenMessages(hides);
  }

  /** Asked for when the child is about to be spawned: only then is the first turn's place in its trace settled. */
  get options(): Fields | undefined {
    this.#options ??= this.#childOptions();
    return this.#options;
  }

  get counters(): Readonly<TraceCounters> {
    return { ...this.#assembler.counters, unknown: this.#cli?.counters.unknown ?? 0 };
  }

  /** The CLI was asked for its telemetry, told of a whole turn otherwise, and sent nothing. */
  get wasCliSilent(): boolean {
    return this.#assembler.wasCliSilent;
  }

  get isOver(): boolean {
    return this.#isOver;
  }

  parked(): void {
    this.#isParked = true;
  }

  /** A child that was started ahead serves whoever claims it. */
  claimed(): void {
    this.#isParked = false;
    if (this.#isChildGone) this.#armIdle();
    this.#place = this.#placeOf(this.#context.surroundings());
  }

  promptGiven(text: string): void {
    this.#hasAllPrompts = true;
    if (!this.#isSettled) this.#reader.promptGiven(text);
  }

  promptTaken(message: unknown): void {
    this.#hasAllPrompts = false;
    this.#isChildGone = false;
    clearTimeout(this.#endTimer);
    if (!this.#isSettled) this.#reader.promptTaken(message);
  }

  promptsOver(): void {
    this.#hasAllPrompts = true;
  }

  message(message: unknown): void {
    if (this.#isSettled) {
      this.#context.onLate();
      return;
    }
    this.#hasNews = false;
    this.#reader.read(message);
    if (this.#hasNews) this.#deadlines.arm();
    if (this.#isChildGone) this.#armIdle();
  }

  ended(by: QueryEnded['by'], error?: SpanError): void {
    const { clock } = this.#context;
    const signal = fieldsOf(this.#userOptions?.['abortController'])?.['signal'];
    const wasAborted = by === 'error' && signal instanceof AbortSignal && signal.aborted;
    const at = clock.now();
    this.#assembler.observe({
      type: 'query-end',
      id: `end:${by}:${at}`,
      source: 'sdk',
      at,
      by: wasAborted ? 'abort' : by,
      ...(error === undefined ? {} : { error }),
    });
    if (by === 'interrupt') return;
    this.#isOver = true;
    if (this.#isChildGone || !this.#assembler.awaitsCli) {
      if (this.#wire === undefined) this.settle();
      // What has passed is read by another thread, which may not be done with the last of it.
      else this.#armEnd(WIRE_END_MS);
      return;
    }
    this.#deadlines.arm();
    this.#armEnd();
  }

  /** Ends every span with what is known now. */
  settle(): void {
    if (this.#isSettled) return;
    this.#drain();
    if (this.#isSettled) return;
    this.#isSettled = true;
    this.#deadlines.stop();
    clearTimeout(this.#endTimer);
    this.#route?.release();
    this.#wire?.release();
    if (this.#assembler.hasCalls && this.#wire?.wasBypassed === true) this.#context.onWireLeftAlone(BYPASSED);
    this.#context.guard('settle', () => this.#assembler.end());
    this.#context.onSettled(this);
  }

  /** True when the query's options hold that in-process server. */
  hasServer(instance: unknown): boolean {
    this.#servers ??= serversOf(this.#userOptions);
    return this.#servers.has(instance);
  }

  knowsTool(toolCallId: string): boolean {
    return this.#assembler.contextOfTool(toolCallId) !== undefined;
  }

  /** A handler of the host begins to answer a tool call of this query, read by the consumer or not: where it runs. */
  handlerStarted(call: { readonly toolCallId: string; readonly toolName: string }): HandlerPlace | undefined {
    if (this.#isSettled) return undefined;
    this.#assembler.observe({
      type: 'tool-handler',
      id: `handler:${call.toolCallId}`,
      source: 'sdk',
      at: this.#context.clock.now(),
      turn: this.#reader.turn,
      ...call,
    });
    const step = this.#assembler.contextOfTool(call.toolCallId);
    return step === undefined ? undefined : { step, ...given('traceIsSampled', this.#place.decision) };
  }

  #placeOf(surroundings: Surroundings): Place {
    const { fanOut, environment } = this.#context;
    const own = fieldsOf(this.#userOptions?.['env']);
    const parent = queryParent({ own, surroundings, environment, ambient: () => fanOut.ambient() });
    const decision = parent === undefined || parent.isRemote ? parent?.sampled : surroundings.traceIsSampled;
    return { parent, decision, attributes: surroundings.attributes };
  }

  #openRoute(): LoopbackRoute | undefined {
    const { loopback, guard } = this.#context;
    if (loopback === undefined || !this.#wantsTelemetry()) return undefined;
    const source = (this.#cli = new CliTelemetrySource({
      observe: (observation) => this.#assembler.observe(observation),
      metrics: (points) => this.#context.fanOut.metrics(points),
      askedParty: 'host',
      hasStream: true,
      showHooks: !this.#context.useHooks,
      onSteer: (steer) => this.#reader.promptSteered(steer),
    }));
    const route = loopback.register({
      batch: (request) => {
        this.#batches += 1;
        this.#childSpoke();
        guard('CLI telemetry', () => source.receive(request));
        this.#deadlines.arm();
      },
      childGone: () => this.#childGone(),
    });
    if (route.endpoint('traces') !== undefined) return route;
    route.release();
    this.#context.onNotReady();
    return undefined;
  }

  #openWire(): QueryWire | undefined {
    const { wire, guard, onWireLeftAlone } = this.#context;
    if (wire === undefined) return undefined;
    return QueryWire.open({
      wire,
      environment: this.#userEnvironment,
      guard,
      observe: (observation) => this.#assembler.observe(observation),
      onNews: () => this.#deadlines.arm(),
      onLeftAlone: onWireLeftAlone,
    });
  }

  #wantsTelemetry(): boolean {
    const { cliTelemetry } = this.#context;
    if (cliTelemetry === 'off' || this.#context.isCliSilent()) return false;
    return cliTelemetry === 'on' || telemetryWish(this.#userEnvironment) === 'unset';
  }

  #childEnvironment(): Environment | undefined {
    const route = this.#route;
    const wire = this.#wire?.additions;
    if (route === undefined && wire === undefined) return undefined;
    const base = {
      context: withStateOf(this.#place.parent, this.#assembler.contextOfTurn(0) ?? this.#minted),
      isInherited: fieldsOf(this.#userOptions?.['env']) === undefined,
    };
    if (route === undefined) return { ...passedOn(this.#userEnvironment, base), ...wire };
    const telemetry = { ...base, endpoint: route.endpoint.bind(route), content: this.#context.cliContent };
    return { ...childEnvironment(this.#userEnvironment, telemetry), ...wire };
  }

  #childOptions(): Fields {
    const { useHooks, guard, clock } = this.#context;
    const additions: Record<string, unknown> = {};
    if (this.#route === undefined) {
      additions['includePartialMessages'] = true;
      additions['forwardSubagentText'] = true;
    }
    const env = this.#childEnvironment();
    if (env !== undefined) additions['env'] = env;
    if (useHooks) {
      const observe = this.#assembler.observe.bind(this.#assembler);
      additions['hooks'] = withHooks(this.#userOptions?.['hooks'], {
        observe,
        clock,
        guard,
        turn: () => this.#reader.turn,
      });
    }
    return withAdditions(this.#userOptions, additions) as Fields;
  }

  /** It was but its connection that had closed. */
  #childSpoke(): void {
    if (!this.#isChildGone) return;
    this.#isChildGone = false;
    if (!this.#isOver) clearTimeout(this.#endTimer);
  }

  #childGone(): void {
    this.#isChildGone = true;
    if (this.#isOver) this.settle();
    // A session that waits for its next prompt may be alive all the same: some exporters let go of an idle connection.
    else if (this.#assembler.openAgents > 0 || this.#hasAllPrompts || this.#isParked) this.#armIdle();
  }

  /** A consumer that has not read to the end may find messages of a child that is long gone; one that reads no more never will. */
  #armIdle(): void {
    clearTimeout(this.#endTimer);
    this.#endTimer = setTimeout(() => this.settle(), IDLE_MS);
    this.#endTimer.unref();
  }

  /** Nothing more will come of a child that does not report. */
  #isDone(): boolean {
    if (this.#isOver && !this.#assembler.awaitsCli) this.settle();
    return this.#isSettled;
  }

  /** Reads what the loopback thread has received; true when that was anything. */
  #drain(): boolean {
    const before = this.#batches;
    this.#context.guard('loopback', () => this.#context.loopback?.drainSync());
    return this.#batches !== before;
  }

  #armEnd(afterMs: number = PROCESS_END_MS): void {
    clearTimeout(this.#endTimer);
    this.#endTimer = setTimeout(() => this.settle(), afterMs);
    this.#endTimer.unref();
  }
}

function isOn(options: Fields | undefined, name: string): boolean {
  return options?.[name] === true;
}
