import { existsSync, readdirSync, readFileSync } from 'node:fs';
import type { Outcome, Span } from '../../../core/src/model/span.ts';
import type { SourceSet } from './script.ts';

/** The reviewed tables, of the larger collection and of the project's own recordings: see the README of the first. */
const FOLDERS: Readonly<Record<'collection' | 'own', URL>> = {
  collection: new URL('../../expectations/', import.meta.url),
  own: new URL('../../expectations-own/', import.meta.url),
};

type Figures = Readonly<Record<string, number>>;

export interface ExpectedCall {
  readonly requestId: string | null;
  readonly messageId: string | null;
  readonly agent: string | null;
  readonly tool?: string;
  readonly model: string;
  readonly purpose: string;
  readonly turn: number | null;
  readonly usage: Figures | null;
  readonly costUsd: number | null;
  readonly status: string;
  readonly attempts: number | null;
}

export interface ExpectedSource {
  readonly llm: readonly ExpectedCall[];
  readonly totals: readonly (Figures | 'unknown')[];
  readonly unattributed: readonly (Figures | 'unknown' | null)[];
  readonly issues?: readonly (string | null)[];
}

export interface Expectation {
  readonly recording: string;
  readonly queries: number;
  readonly traceGroups: readonly (readonly number[])[];
  readonly turns: readonly {
    readonly query: number;
    readonly outcome: Outcome;
    readonly resultSeen: boolean;
    readonly startedBy: 'prompt' | 'command' | 'task_notification';
  }[];
  /** A string says why there is none. */
  readonly sources: Readonly<Record<SourceSet | 'transcript' | 'wire', ExpectedSource | string>>;
}

export interface Difference {
  readonly node: string;
  readonly change: 'absent' | 'outcome' | 'status' | 'decidedBy' | 'background';
  readonly to?: string;
  readonly under?: string;
  readonly binding?: boolean;
}

export function readExpectation(recording: string): Expectation {
  return JSON.parse(read(`${recording}.json`)) as Expectation;
}

export function readTree(recording: string): string {
  return read(`${recording}.tree.txt`);
}

export function readDifferences(): Readonly<
  Record<string, Partial<Readonly<Record<'sdk' | 'cli' | 'transcript', readonly Difference[]>>>>
> {
  const of = (folder: URL) =>
    JSON.parse(readFileSync(new URL('differences.json', folder), 'utf8')) as ReturnType<typeof readDifferences>;
  return { ...of(FOLDERS.collection), ...of(FOLDERS.own) };
}

/** Lines, without figures, that the tree of the wire alone lacks, and those that it has instead. */
export interface WireDifference {
  readonly lacks: readonly string[];
  readonly has: readonly string[];
}

export function readWireDifferences(): Readonly<Record<string, WireDifference>> {
  return JSON.parse(readFileSync(new URL('wire-differences.json', FOLDERS.collection), 'utf8')) as Readonly<
    Record<string, WireDifference>
  >;
}

/** Names of the recordings that have a table. */
export function listExpectations(of: keyof typeof FOLDERS): readonly string[] {
  return readdirSync(FOLDERS[of])
    .filter((file) => file.endsWith('.tree.txt'))
    .map((file) => file.replace('.tree.txt', ''))
    .sort();
}

function read(file: string): string {
  const places = Object.values(FOLDERS).map((folder) => new URL(file, folder));
  const place = places.find((candidate) => existsSync(candidate));
  if (place === undefined) throw new Error(`no expectation ${file}`);
  return readFileSync(place, 'utf8');
}

/** Main turns in start order. */
export function turnsOf(spans: readonly Span[]): (Span & { kind: 'agent' })[] {
  const turns = spans.filter((span): span is Span & { kind: 'agent' } => span.kind === 'agent' && span.role === 'main');
  return turns.toSorted((a, b) => (a.startedAt < b.startedAt ? -1 : 1));
}

/** What a trace says of its calls, in the table's words. */
export function callsOf(spans: readonly Span[]): ExpectedCall[] {
  const byId = new Map(spans.map((span) => [span.spanId, span]));
  const turns = turnsOf(spans);
  const parentOf = (span: Span): Span | undefined =>
    span.parentSpanId === undefined ? undefined : byId.get(span.parentSpanId);
  const nearestAgent = (span: Span | undefined): (Span & { kind: 'agent' }) | undefined =>
    span === undefined || span.kind === 'agent' ? span : nearestAgent(parentOf(span));
  const rootOf = (span: Span): Span => {
    const parent = parentOf(span);
    return parent === undefined ? span : rootOf(parent);
  };
  return spans
    .filter((span) => span.kind === 'llm')
    .map((span) => {
      const parent = parentOf(span);
      const agent = nearestAgent(parent);
      const root = turns.findIndex((turn) => turn === rootOf(span));
      return {
        requestId: span.requestId ?? null,
        messageId: span.messageId ?? null,
        agent: agent === undefined ? null : agent.role === 'main' ? 'main' : (agent.agentId ?? 'unknown'),
        ...(parent?.kind === 'tool' ? { tool: parent.toolCallId } : {}),
        model: span.requestModel,
        purpose: span.purpose,
        turn: root === -1 ? null : root,
        usage: span.usage === undefined ? null : { ...span.usage },
        costUsd: span.costUsd ?? null,
        status: span.status,
        attempts: span.attempts,
      };
    });
}
