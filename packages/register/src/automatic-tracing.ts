import type * as core from '@spanprism/core';
import { chooseSinks, type LoadPackage } from './choose-sinks.ts';
import type { Surroundings } from './vendors.ts';

/** Nobody can await the receiver here. It listens after some tens of milliseconds; a machine that takes longer than this is better traced without it. */
const READY_MS = 1_000;

export interface AutomaticTracingParts extends Surroundings {
  readonly load: LoadPackage;
  readonly say: (line: string) => void;
}

/**
 * The tracing of a program that says nothing about it: made when the SDK is first used, because only then it is known that there is
 * something to trace and whether the program has set up Sentry. Nothing of it throws.
 */
export class AutomaticTracing {
  readonly #parts: AutomaticTracingParts;
  #started: { readonly tracing: core.Tracing | undefined } | undefined;
  #unsaid: readonly string[] = [];

  constructor(parts: AutomaticTracingParts) {
    this.#parts = parts;
  }

  /** Undefined when there is nothing to trace with: it has been said why. */
  start(): core.Tracing | undefined {
    if (this.#started !== undefined) return this.#started.tracing;
    // Set first: what is started here may come back here, by way of what it imports.
    this.#started = { tracing: undefined };
    try {
      this.#started = { tracing: this.#create() };
    } catch (error) {
      this.#unsaid = [`nothing is traced: ${error instanceof Error ? error.message : String(error)}`];
    }
    return this.#started.tracing;
  }

  /** The program calls the model now: what was found is said, once. */
  announce(): void {
    this.start();
    const lines = this.#unsaid;
    this.#unsaid = [];
    for (const line of lines) this.#parts.say(line);
  }

  #create(): core.Tracing | undefined {
    const { environment, load } = this.#parts;
    if (environment['OTEL_SDK_DISABLED']?.trim().toLowerCase() === 'true') return undefined;
    const { consoleSink, createTracing } = load('@spanprism/core') as typeof core;
    const { sinks, found, problems, switchedOff } = chooseSinks(this.#parts, load);
    if (sinks.length === 0 && problems.length > 0) {
      this.#unsaid = [...problems, 'nothing is traced'];
      return undefined;
    }
    // Whoever switches a backend off does not ask for the console instead.
    if (sinks.length === 0 && switchedOff.length > 0) return undefined;
    const where = found.length === 0 ? ON_CONSOLE : `to ${found.join(', ')}`;
    this.#unsaid = [...problems, `Claude agents are traced ${where}`];
    return createTracing({ sinks: sinks.length === 0 ? [consoleSink()] : sinks, readyWithinMs: READY_MS });
  }
}

const ON_CONSOLE =
  'on this console; OTEL_EXPORTER_OTLP_ENDPOINT, LANGFUSE_PUBLIC_KEY, LOGFIRE_TOKEN or SENTRY_DSN sends them to a backend';
