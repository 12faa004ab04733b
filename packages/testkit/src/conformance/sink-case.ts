import assert from 'node:assert/strict';
import {
  applyCapture,
  type CapturedSpan,
  type CaptureOptions,
  type Diag,
  resolveCapture,
  type Sink,
  type SinkStats,
  type Span,
} from '@spanprism/core';
import { type Collector, startCollector } from '../collector/collector.ts';
import type { Told } from './traces.ts';

/** One span as a backend sees it, in words of no backend. A field that a backend has no place for is absent. */
export interface Row {
  readonly traceId: string;
  readonly id: string;
  readonly parentId?: string;
  readonly kind: 'agent' | 'llm' | 'tool' | 'permission' | 'hook' | 'custom';
  /** What `labelOf` says of the span, read from the backend's own fields. */
  readonly label: string;
  /** Nanoseconds since 1970. */
  readonly startedAt: bigint;
  readonly endedAt: bigint;
  readonly firstTokenAt?: bigint;
  readonly outcome: 'ok' | 'error' | 'cancelled' | 'denied';
  /** Tokens that the backend adds up over a trace. */
  readonly countedInput?: number;
  readonly countedOutput?: number;
  /** What of the input came from caches. */
  readonly cachedInput?: number;
  /** Money that the backend adds up over a trace. */
  readonly costUsd?: number;
  /** Codes of known gaps. */
  readonly issues?: readonly string[];
  /** All content that arrived. */
  readonly text: string;
}

/**
 * What a sink can: `http` (sends to a collector), `ownIds` (our ids in the backend), `live` (spans begin before they end), `cost`,
 * `issues`, `firstToken`, `content`. What it cannot is a skipped test with that name.
 */
export type Capability = 'http' | 'ownIds' | 'live' | 'cost' | 'issues' | 'firstToken' | 'content';

export interface Made<Sent> {
  readonly sink: Sink;
  /** What has reached the backend so far. */
  sent(): Sent;
  /** Lets go of what belongs to neither sink nor collector. */
  dispose?(): Promise<void>;
}

/** One adapter under test. */
export interface SinkCase<Sent> {
  readonly name: string;
  readonly can?: readonly Capability[];
  /** The real adapter and, if it has one, its vendor's real SDK; only the network is the collector's. */
  make(backend: { readonly collector: Collector; readonly diag: Diag }): Made<Sent> | Promise<Made<Sent>>;
  /** From the adapter's wire format, written after the backend's documents and not after the adapter. */
  decode(sent: Sent): readonly Row[];
}

/** A running case: the adapter, its backend, and the way to it. */
export interface Rig {
  readonly sink: Sink;
  readonly collector: Collector;
  /** All but those for debugging. */
  readonly diagnostics: readonly string[];
  /**
   * Delivers as the pipeline does: each span through the sink's own capture policy, else through the given one; `redact` is that of
   * `createTracing`.
   */
  play(told: readonly Told[], capture?: CaptureOptions, redact?: (text: string) => string): void;
  /** Flushes and reads. */
  rows(): Promise<readonly Row[]>;
  row(label: string): Promise<Row>;
  /** Everything that has left, as one text. */
  bytes(): string;
}

/** For what comes to its end: no test is to fail because its machine is busy. */
export const DEADLINE_MS = 45_000;

export interface SinkCheck {
  readonly group: 'shape' | 'time' | 'numbers' | 'outcome' | 'privacy' | 'robustness' | 'lifecycle' | 'purity';
  readonly name: string;
  readonly needs?: readonly Capability[];
  /** It watches the whole process: nothing else may run beside it. */
  readonly isAlone?: true;
  /** It takes a core for a second: beside others like it none would keep its deadline. */
  readonly isHeavy?: true;
  run(rig: Rig, remake: () => Promise<Rig>): Promise<void>;
}

/** Runs one check on a fresh sink and backend; rejects when it does not hold. */
export async function runSinkCheck<Sent>(check: SinkCheck, sinkCase: SinkCase<Sent>): Promise<void> {
  const rigs: { readonly made: Made<Sent>; readonly collector: Collector }[] = [];
  const remake = async (): Promise<Rig> => {
    const collector = await startCollector();
    const diagnostics: string[] = [];
    const diag: Diag = (level, message) => void (level !== 'debug' && diagnostics.push(message));
    const made = await sinkCase.make({ collector, diag });
    rigs.push({ made, collector });
    return rigOf({ made, collector, diagnostics, decode: (sent) => sinkCase.decode(sent) });
  };
  try {
    await check.run(await remake(), remake);
  } finally {
    for (const { made, collector } of rigs) {
      collector.recover();
      await made.sink.close(1_000).catch(() => undefined);
      await made.dispose?.();
      await collector.close();
    }
  }
}

interface Parts<Sent> {
  readonly made: Made<Sent>;
  readonly collector: Collector;
  readonly diagnostics: readonly string[];
  readonly decode: (sent: Sent) => readonly Row[];
}

function rigOf<Sent>({ made, collector, diagnostics, decode }: Parts<Sent>): Rig {
  const { sink } = made;
  const rows = async (): Promise<readonly Row[]> => {
    await sink.flush(DEADLINE_MS);
    return decode(made.sent());
  };
  return {
    sink,
    collector,
    diagnostics,
    play: (told, capture = 'metadata', redact = (text) => text) => {
      const policy = resolveCapture(sink.capture ?? capture, { environment: {}, redact });
      deliver(sink, told, (span) => applyCapture(span, policy));
    },
    rows,
    row: async (label) => {
      const found = (await rows()).filter((row) => row.label === label);
      assert.equal(found.length, 1, `rows of ${label}`);
      return found[0] as Row;
    },
    bytes: () => `${collector.bytes().toString('utf8')}${textOf(made.sent())}`,
  };
}

/** Tells a sink step by step what was told. */
export function deliver(sink: Sink, told: readonly Told[], captured: (span: Span) => CapturedSpan): void {
  for (const step of told) {
    if (step.type === 'turn-end') sink.turnEnd?.(step.rootSpanId);
    else if (step.type === 'end') sink.spanEnd(captured(step.span));
    else sink.spanStart?.(captured(step.span));
  }
}

/** Everything in a value, cycles aside. */
function textOf(value: unknown): string {
  const seen = new Set<unknown>();
  return JSON.stringify(value, (_, member: unknown) => {
    if (typeof member === 'bigint') return String(member);
    if (typeof member !== 'object' || member === null) return member;
    if (seen.has(member)) return undefined;
    seen.add(member);
    return member;
  });
}

/** All that a sink says it has given up. */
export function droppedBy(sink: Sink): number {
  const { dropped }: SinkStats = sink.stats?.() ?? { delivered: 0, queued: 0, dropped: {} };
  return Object.values(dropped).reduce((sum, count) => sum + count, 0);
}
