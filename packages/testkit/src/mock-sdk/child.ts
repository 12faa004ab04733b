import { setImmediate as nextTick } from 'node:timers/promises';
import type { JsonObject } from '../json.ts';
import { ErrorResult, interruptedResult } from './error-result.ts';
import { type ChildEnvironment, Exporter } from './exporter.ts';
import { callInProcessTools } from './mcp-server.ts';
import { MessageQueue } from './message-queue.ts';
import { movedMessage, spanIdsIn, type TimeMove } from './moved-times.ts';
import type { HostAction, Scenario, ScenarioStep } from './scenario.ts';
import { shownMessages } from './shown-messages.ts';

export interface ChildOptions {
  readonly scenario: Scenario;
  /** Options of `query()`, as the SDK was given them. */
  readonly options: JsonObject;
  readonly environment: ChildEnvironment;
  /** Length of a recorded millisecond; 0: no waiting at all. */
  readonly timeScale: number;
  /** Whether what it says lies in this run, or where it was recorded. */
  readonly times: 'moved' | 'recorded';
  /** How long the child goes on when the host lets go and the scenario does not say what it does then. */
  readonly graceMs: number;
}

/** As the SDK names it; its `name` is that of any error. */
export class AbortError extends Error {}

type LettingGo = Extract<HostAction, 'abort' | 'leave'>;

/** In place of the process: plays a scenario into the queue of messages and to the endpoints in its environment. */
export class MockChild {
  readonly queue: MessageQueue = new MessageQueue();
  /** Settles when the SDK waits for the process no longer. */
  readonly ended: Promise<void>;
  /** Settles when the process has ended and its connection is closed. */
  readonly exited: Promise<void>;
  readonly #options: ChildOptions;
  readonly #exporter: Exporter;
  readonly #isShown: (message: JsonObject) => boolean;
  readonly #errorResult: ErrorResult = new ErrorResult();
  readonly #done: Record<HostAction, number> = { prompt: 0, interrupt: 0, abort: 0, leave: 0 };
  /** What the scenario, as far as it can be looked ahead, still waits for or sends. */
  readonly #ahead: Record<HostAction | 'telemetry', number> = {
    prompt: 0,
    interrupt: 0,
    abort: 0,
    leave: 0,
    telemetry: 0,
  };
  readonly #startedMs: number = Date.now();
  #delayMs = 0;
  /** Steps before this one do not happen any more. */
  #skipTo: HostAction | 'result' | undefined;
  #waitsFor: HostAction | undefined;
  #lettingGo: LettingGo | undefined;
  #isKilled = false;
  #isInputOver = false;
  #hasEnded = false;
  #wake: () => void = () => undefined;
  #settleEnded: () => void = () => undefined;

  constructor(options: ChildOptions) {
    this.#options = options;
    this.#isShown = shownMessages(options.options);
    const steps = Array.isArray(options.scenario.steps) ? (options.scenario.steps as readonly ScenarioStep[]) : [];
    for (const step of steps) {
      if (step.type === 'await') this.#ahead[step.action] += 1;
      if (step.type === 'telemetry') this.#ahead.telemetry += 1;
    }
    const payloads = steps.map((step) =>
      step.type === 'telemetry' && step.signal === 'traces' ? step.payload : undefined,
    );
    this.#exporter = new Exporter(options.environment, new Set(payloads.flatMap(spanIdsIn)));
    this.ended = new Promise((resolve) => {
      this.#settleEnded = resolve;
    });
    this.exited = this.#live();
  }

  prompt(): void {
    this.#done.prompt += 1;
    this.#wake();
  }

  /** The host will not send any more prompts. */
  endInput(): void {
    this.#isInputOver = true;
    this.#wake();
  }

  interrupt(): void {
    this.#done.interrupt += 1;
    if (this.#waitsFor !== 'interrupt') this.#skipTo ??= this.#ahead.interrupt > 0 ? 'interrupt' : 'result';
    this.#wake();
  }

  /** The host wants no more of it: the child is given its time and is gone then. */
  letGo(by: LettingGo): void {
    if (by === 'leave') this.queue.end();
    if (this.#lettingGo !== undefined || this.#hasEnded) return;
    this.#lettingGo = by;
    this.#done[by] += 1;
    if (this.#ahead[by] > 0) this.#skipTo = by;
    else if (this.#waitsFor === by) this.#skipTo = undefined;
    else if (this.#options.graceMs === 0) this.#isKilled = true;
    else setTimeout(() => this.#kill(), this.#options.graceMs);
    this.#wake();
  }

  #kill(): void {
    this.#isKilled = true;
    this.#wake();
  }

  async #live(): Promise<void> {
    // The host gets the query before it hears anything of it.
    await nextTick();
    for (const step of this.#options.scenario.steps) {
      if (this.#isKilled) break;
      if (!(await this.#isReached(step))) continue;
      await this.#take(step);
    }
    await this.#end();
    this.#exporter.close();
  }

  /** Waits for a step's time; false when the host has made it void. */
  async #isReached(step: ScenarioStep): Promise<boolean> {
    if (step.type === 'await') this.#ahead[step.action] -= 1;
    if (step.type === 'telemetry') this.#ahead.telemetry -= 1;
    if (step.type === 'await') return this.#isReachedGate(step.action);
    if (!this.#isVoid(step)) await this.#timeOf(step);
    if (this.#isVoid(step)) {
      // An interrupted turn without a recorded reaction has a result all the same.
      if (this.#skipTo !== 'result' || step.type !== 'message' || step.message['type'] !== 'result') return false;
      this.#skipTo = undefined;
      this.#put(interruptedResult(this.#message(step.message)));
      return false;
    }
    return true;
  }

  #isVoid(step: ScenarioStep): boolean {
    if (this.#isKilled) return true;
    if (this.#skipTo === undefined) return false;
    return this.#skipTo !== 'result' || step.type === 'message';
  }

  #isReachedGate(action: HostAction): boolean {
    if (this.#skipTo === action) this.#skipTo = undefined;
    return !this.#isKilled && (this.#skipTo === undefined || this.#skipTo === 'result');
  }

  async #timeOf({ atMs }: ScenarioStep): Promise<void> {
    const { timeScale } = this.#options;
    if (timeScale === 0) {
      await nextTick();
      return;
    }
    const skipped = this.#skipTo;
    const isOver = (): boolean => this.#isKilled || this.#skipTo !== skipped;
    await this.#until(isOver, this.#startedMs + atMs * timeScale + this.#delayMs - Date.now());
  }

  async #take(step: ScenarioStep): Promise<void> {
    switch (step.type) {
      case 'message':
        this.#put(this.#message(step.message));
        await callInProcessTools(step.message, this.#options.options['mcpServers']);
        return;
      case 'telemetry':
        await this.#exporter.send(step.signal, step.payload, this.#timeMove());
        return;
      case 'await':
        await this.#await(step);
        return;
      case 'end':
        await this.#end(step.error === undefined ? undefined : this.#failure(step.error));
        return;
    }
  }

  #message(message: JsonObject): JsonObject {
    const isFixed = this.#options.times === 'recorded' || this.#options.scenario.epochMs === undefined;
    return isFixed ? message : movedMessage(message, this.#timeMove());
  }

  #put(message: JsonObject): void {
    this.#errorResult.read(message);
    if (this.#isShown(message)) this.queue.put(message);
  }

  async #await({ action, atMs }: ScenarioStep & { readonly type: 'await' }): Promise<void> {
    const isDone = (): boolean => this.#done[action] > 0 || (action === 'prompt' && this.#isInputOver);
    this.#waitsFor = action;
    await this.#until(() => isDone() || this.#isKilled || this.#lettingGo !== undefined);
    this.#waitsFor = undefined;
    if (this.#done[action] > 0) this.#done[action] -= 1;
    const lateMs = Date.now() - (this.#startedMs + atMs * this.#options.timeScale);
    // A prompt that was there early changes nothing; everything else is what the next steps answer to.
    this.#delayMs = action === 'prompt' ? Math.max(this.#delayMs, lateMs) : lateMs;
  }

  async #end(error?: Error): Promise<void> {
    if (this.#hasEnded) return;
    await this.#until(() => this.#isInputOver || this.#lettingGo !== undefined);
    this.#hasEnded = true;
    // The process is gone before its last words have been read, unless it was recorded otherwise.
    if (this.#ahead.telemetry === 0 || this.#isKilled) {
      this.#exporter.close();
      await nextTick();
    }
    this.queue.end(error ?? this.#failure());
    this.#settleEnded();
  }

  #failure(message?: string): Error | undefined {
    if (this.#lettingGo === 'abort') return new AbortError('Claude Code process aborted by user');
    return message === undefined ? this.#errorResult.error : new Error(message);
  }

  #timeMove(): TimeMove {
    const nowMs = this.#startedMs + this.#delayMs;
    const { times, scenario, timeScale } = this.#options;
    const fromMs = scenario.epochMs ?? nowMs;
    if (times === 'recorded') return { fromMs, toMs: fromMs, scale: 1 };
    return { fromMs, toMs: nowMs, scale: timeScale || 1 };
  }

  /** Waits until it holds, or for so long. */
  async #until(holds: () => boolean, waitMs = Number.POSITIVE_INFINITY): Promise<void> {
    const untilMs = performance.now() + waitMs;
    for (let leftMs = waitMs; leftMs > 0 && !holds(); leftMs = untilMs - performance.now()) {
      await new Promise<void>((resolve) => {
        const timer = leftMs === Number.POSITIVE_INFINITY ? undefined : setTimeout(resolve, leftMs);
        this.#wake = () => {
          clearTimeout(timer);
          resolve();
        };
      });
    }
  }
}
