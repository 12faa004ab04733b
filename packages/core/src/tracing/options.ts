import { type CapturePolicy, resolveCapture } from '../capture/policy.ts';
import type { CaptureOptions } from '../model/capture-options.ts';
import { ConfigurationError } from '../model/configuration-error.ts';
import { given } from '../model/given.ts';
import type { Diag, Sink } from '../model/sink.ts';
import type { Attributes } from '../model/span.ts';
import type { Environment } from '../sources/sdk/child-environment.ts';
import type { Route } from './fan-out.ts';

export interface TracingOptions {
  /** Where traces go, each through a capture policy of its own. */
  readonly sinks: readonly Sink[];
  /** What may leave through sinks that do not say so themselves. Default: metadata only. */
  readonly capture?: CaptureOptions;
  /**
   * Whether the CLI is asked for its own telemetry, which is what makes tokens, cost and times per call exact. `auto` (the default)
   * leaves a child alone whose environment exports telemetry already; then, and with `off`, partial messages are used instead.
   */
  readonly cliTelemetry?: 'auto' | 'on' | 'off';
  /**
   * How long the first query may block until the CLI's telemetry can be received, where nobody has awaited `ready()`; milliseconds,
   * 200 unless given. It takes some tens of them, once.
   */
  readonly readyWithinMs?: number;
  /** Register SDK hooks for tool times as the host sees them. Off by default: they cost a round trip per tool. */
  readonly hooks?: boolean;
  /**
   * Let the child's requests to the model pass through this process, which makes whole prompts, system instructions, tool definitions
   * and answers part of the trace. Off by default: the CLI behaves differently with a base URL that is not Anthropic's.
   */
  readonly wire?: boolean;
  /** The name of the main agent. Default `claude`. */
  readonly agentName?: string;
  /** Attributes of every span. */
  readonly attributes?: Attributes;
  /** Applied to every text before it is queued or written; a text at which it throws is dropped. */
  readonly redact?: (text: string) => string;
  /** Diagnostics. Default: warnings and errors on stderr, everything with `OTEL_DEBUG=1`. */
  readonly diag?: Diag;
}

/** Attributes with names that backends know, and any others. */
export interface UserAttributes {
  readonly userId?: string;
  readonly sessionName?: string;
  readonly tags?: readonly string[];
  readonly project?: string;
  readonly [name: string]: string | number | boolean | readonly string[] | undefined;
}

/** What each option may be, by `typeof`, and how to say so. */
const OPTIONS: Readonly<
  Record<Exclude<keyof TracingOptions, 'sinks' | 'capture'>, readonly [type: string, expected: string]>
> = {
  cliTelemetry: ['string', "'auto', 'on' or 'off'"],
  readyWithinMs: ['number', 'milliseconds, 0 or more'],
  hooks: ['boolean', 'true or false'],
  wire: ['boolean', 'true or false'],
  agentName: ['string', 'a name'],
  attributes: ['object', 'an object of names and plain values'],
  redact: ['function', 'a function from text to text'],
  diag: ['function', 'a function that takes a level and a message'],
};

/** The options, or a `ConfigurationError` that names the one that is wrong and what it can be. */
export function checkOptions(options: TracingOptions, factory = 'createTracing'): TracingOptions {
  if (!Array.isArray(options?.sinks)) {
    throw wrong(`${factory} needs \`sinks\`, an array of sinks: ${factory}({ sinks: [consoleSink()] })`);
  }
  checkSinks(options.sinks, factory);
  for (const [name, value] of Object.entries(options)) {
    if (name === 'sinks' || name === 'capture' || value === undefined) continue;
    const rule = Object.hasOwn(OPTIONS, name) ? OPTIONS[name as keyof typeof OPTIONS] : undefined;
    if (rule === undefined)
      throw wrong(`${factory} has no option ${name}; it has sinks, capture, ${Object.keys(OPTIONS).join(', ')}`);
    const [type, expected] = rule;
    const isWrong =
      typeof value !== type ||
      value === null ||
      (typeof value === 'number' && !(value >= 0)) ||
      (name === 'cliTelemetry' && !['auto', 'on', 'off'].includes(value as string));
    if (isWrong) throw wrong(`${name} of ${factory} is ${String(value)}; it can be ${expected}`);
  }
  return options;
}

function checkSinks(sinks: readonly Sink[], factory: string): void {
  const names: Set<string> = new Set();
  for (const [index, sink] of sinks.entries()) {
    if (typeof sink?.spanEnd !== 'function') {
      throw wrong(
        `sinks[${index}] of ${factory} is no sink: pass what a factory such as otlpSink() returns, called with ()`,
      );
    }
    // Statistics, diagnostics and spools tell sinks apart by their names.
    if (names.has(sink.name))
      throw wrong(`two sinks of ${factory} are named ${sink.name}: give one of them another \`name\``);
    names.add(sink.name);
  }
}

function wrong(message: string): ConfigurationError {
  return new ConfigurationError('invalid_option', message);
}

/** Sinks that say nothing of capture share one policy, and with it every captured span. */
export function routesOf({ sinks, capture, redact }: TracingOptions, environment: Environment): Route[] {
  const resolve = (own: CaptureOptions | undefined): CapturePolicy =>
    resolveCapture(own, { environment, ...given('redact', redact) });
  const shared = resolve(capture);
  return sinks.map((sink) => {
    const own = sink.capture ?? (capture === undefined ? sink.captureBySettings : undefined);
    return { sink, policy: own === undefined ? shared : resolve(own) };
  });
}

/** Names that backends know, in OpenTelemetry's spelling where it has one. */
const KNOWN_ATTRIBUTES: Readonly<Record<string, string>> = { userId: 'user.id', sessionName: 'session.name' };

/** Lists become JSON: attributes of spans are plain values. */
export function plainAttributes(attributes: UserAttributes): Attributes {
  const plain: Record<string, string | number | boolean> = {};
  for (const [name, value] of Object.entries(attributes)) {
    if (value !== undefined)
      plain[KNOWN_ATTRIBUTES[name] ?? name] = typeof value === 'object' ? JSON.stringify(value) : value;
  }
  return plain;
}
