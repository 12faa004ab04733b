import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { zstdDecompressSync } from 'node:zlib';
import type { CapturedSpan, Diag, Sink } from '@spanprism/core';
import { type Row, runSinkCheck, SINK_CHECKS, type SinkCase, testSink } from '@spanprism/testkit/conformance';
import { describe, expect, test } from 'vitest';
import { write } from './__fixtures__/store-folder.ts';
import { sqliteSink } from './sink/sqlite-sink.ts';

/** What is on disk: every row as docs/store.md describes it, and the raw bytes of all files. */
interface OnDisk {
  readonly spans: readonly Record<string, unknown>[];
  readonly bodies: ReadonlyMap<unknown, string>;
  readonly bytes: string;
}

/** With the words of docs/store.md, and with nothing of ours. */
const SELECT = `
  SELECT s.*, n.text AS name_text, e.text AS error_text
  FROM span s JOIN name n ON n.id = s.name LEFT JOIN name e ON e.id = s.error_type
  ORDER BY s.id`;

function onDisk(folder: string): OnDisk {
  const database = new DatabaseSync(join(folder, 'spans.db'), { readOnly: true });
  const statement = database.prepare(SELECT);
  statement.setReadBigInts(true);
  const spans = statement.all() as Record<string, unknown>[];
  const packed = database.prepare('SELECT id, lines FROM body').all() as {
    readonly id: number;
    readonly lines: Uint8Array;
  }[];
  database.close();
  const bodies = new Map(packed.map(({ id, lines }) => [BigInt(id), zstdDecompressSync(lines).toString()]));
  // Compressed words are not found among bytes: what is searched for canaries is what they unpack to, too.
  const files = readdirSync(folder).map((name) => readFileSync(join(folder, name), 'latin1'));
  return { spans, bodies, bytes: [...files, ...bodies.values()].join('\n') };
}

const KINDS = ['agent', 'llm', 'tool', 'permission', 'hook', 'custom'] as const;
const STATUSES = ['ok', 'error', 'cancelled'] as const;
const LABELS: Readonly<Partial<Record<Row['kind'], string>>> = { llm: 'messageId', tool: 'toolCallId' };

const hex = (id: unknown): string => Buffer.from(id as Uint8Array).toString('hex');
const numberOf = (value: unknown): number | undefined => (value === null ? undefined : Number(value));

function rowOf(span: Record<string, unknown>, bodies: OnDisk['bodies']): Row {
  const line = bodies.get(span['body'])?.split('\n')[Number(span['line'])] ?? '';
  const body = JSON.parse(line) as Record<string, unknown>;
  const kind = KINDS[Number(span['kind'])] ?? 'custom';
  const startedAt = span['started_at'] as bigint;
  const parts = [span['cache_read_tokens'], span['cache_write_tokens']]
    .map(numberOf)
    .filter((one) => one !== undefined);
  const cost = numberOf(span['cost']);
  const issues = (body['issues'] as { readonly code: string }[]).map(({ code }) => code);
  const denied = span['error_text'] === 'denied';
  const label = body[LABELS[kind] ?? ''] ?? `${kind === 'permission' ? 'permission ' : ''}${String(span['name_text'])}`;
  const events = body['events'] as { readonly content?: string }[];
  return {
    traceId: hex(span['trace_id']),
    id: hex(span['span_id']),
    kind,
    label: String(label),
    startedAt,
    endedAt: startedAt + (span['duration'] as bigint),
    outcome: denied ? 'denied' : (STATUSES[Number(span['status'])] ?? 'ok'),
    text: JSON.stringify([body['input'], body['output'], body['systemInstructions'], body['error'], events]),
    ...given('parentId', span['parent_id'] === null ? undefined : hex(span['parent_id'])),
    ...given('firstTokenAt', typeof body['firstTokenAt'] === 'string' ? BigInt(body['firstTokenAt']) : undefined),
    ...given('countedInput', kind === 'llm' ? numberOf(span['input_tokens']) : undefined),
    ...given('countedOutput', kind === 'llm' ? numberOf(span['output_tokens']) : undefined),
    ...given('cachedInput', parts.length === 0 ? undefined : parts.reduce((sum, part) => sum + part, 0)),
    ...given('costUsd', kind !== 'llm' || cost === undefined ? undefined : cost / 1e9),
    ...given('issues', issues.length === 0 ? undefined : issues),
  };
}

function given<K extends string, V>(name: K, value: V | undefined): { readonly [P in K]?: V } {
  return (value === undefined ? {} : { [name]: value }) as { readonly [P in K]?: V };
}

type Make = (path: string, diag: Diag) => Sink;

function sinkCase(make: Make): SinkCase<OnDisk> {
  return {
    name: 'sqliteSink',
    can: ['ownIds', 'cost', 'issues', 'firstToken', 'content'],
    make: ({ diag }) => {
      const folder = mkdtempSync(join(tmpdir(), 'spanprism-store-'));
      return {
        sink: make(join(folder, 'spans.db'), diag),
        sent: () => onDisk(folder),
        dispose: async () => rmSync(folder, { recursive: true, force: true }),
      };
    },
    decode: ({ spans, bodies }) => spans.map((span) => rowOf(span, bodies)),
  };
}

describe('sqliteSink', () => {
  testSink(
    test,
    sinkCase((path, diag) => sqliteSink({ path, diag, environment: {} })),
  );
});

/** The sink with one fault, and the checks that find it. */
interface Mutant {
  readonly fault: string;
  readonly foundBy: readonly string[];
  readonly change: (span: CapturedSpan) => CapturedSpan;
}

const MUTANTS: readonly Mutant[] = [
  {
    fault: 'hangs calls nowhere',
    foundBy: ['calls and tools hang below their agent'],
    change: (span) => {
      const { parentSpanId: _, ...rest } = span;
      return span.kind === 'llm' ? (rest as CapturedSpan) : span;
    },
  },
  {
    fault: 'knows times to the millisecond',
    foundBy: ['lengths of nothing and of less than a millisecond are exact'],
    change: (span) => ({ ...span, endedAt: ((span.endedAt ?? 0n) / 1_000_000n) * 1_000_000n }),
  },
  {
    fault: 'takes what nobody knows for 0',
    foundBy: ['a figure that is not known is not 0'],
    change: (span) =>
      span.kind === 'llm' ? { ...span, usage: { inputTokens: 0, outputTokens: 0, ...span.usage } } : span,
  },
  {
    fault: 'takes what failed for good',
    foundBy: ['a failed tool is an error', 'a failed call is an error'],
    change: (span) => (span.status === 'error' ? { ...span, status: 'ok' } : span),
  },
];

/** Those that a mapping can break, each in a fraction of a second. */
const MAPPED = SINK_CHECKS.filter(({ group }) => ['shape', 'time', 'numbers', 'outcome'].includes(group));

test.each(MUTANTS)('a sink that $fault is found out', async ({ change, foundBy }) => {
  // Without its thread, whose start would be most of the time.
  const mutant = sinkCase((path) => ({
    name: 'mutant',
    spanEnd: (span) => write(path, [change(span)]),
    flush: async () => write(path),
    close: async () => undefined,
  }));
  const failed: string[] = [];
  for (const check of MAPPED) await runSinkCheck(check, mutant).catch(() => failed.push(check.name));
  expect(failed).toEqual(foundBy);
});
