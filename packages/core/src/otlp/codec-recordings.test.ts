import { existsSync, readFileSync, readdirSync } from 'node:fs';
import { basename, join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { OtlpDecodeError, decodeOtlp } from './decode/decode-otlp.ts';
import { encodeLogsJson, encodeMetricsJson, encodeTracesJson } from './encode/json.ts';
import { encodeLogs, encodeMetrics, encodeTraces } from './encode/protobuf.ts';
import type { OtlpEncoding, OtlpRequest, OtlpSignal } from './records.ts';

/** Our own recordings are part of the repository; a larger collection may be beside it. */
const ROOTS: readonly string[] = [
  join(import.meta.dirname, '../../../testkit/recordings'),
  process.env['SPANPRISM_RECORDINGS'] ?? join(import.meta.dirname, '../../../../../shared/recordings'),
].filter((root) => existsSync(root));
const SIGNALS: readonly OtlpSignal[] = ['traces', 'logs', 'metrics'];

interface Recorded {
  readonly name: string;
  readonly signal: OtlpSignal;
  readonly payload: object;
}

function recorded(): Recorded[] {
  const scenarios = ROOTS.flatMap((root) =>
    readdirSync(root)
      .toSorted()
      .map((name) => join(root, name)),
  );
  return scenarios.flatMap((scenario) => SIGNALS.flatMap((signal) => payloadsOf(scenario, signal)));
}

function payloadsOf(scenario: string, signal: OtlpSignal): Recorded[] {
  const path = join(scenario, `otlp-${signal}.json`);
  if (!existsSync(path)) return [];
  const requests = JSON.parse(readFileSync(path, 'utf8')) as { readonly payload: object }[];
  return requests.map(({ payload }, index) => ({ name: `${basename(scenario)}/${signal}[${index}]`, signal, payload }));
}

function encode(request: OtlpRequest, encoding: OtlpEncoding): Uint8Array {
  const isJson = encoding === 'json';
  switch (request.signal) {
    case 'traces':
      return (isJson ? encodeTracesJson : encodeTraces)(request.groups);
    case 'logs':
      return (isJson ? encodeLogsJson : encodeLogs)(request.groups);
    case 'metrics':
      return (isJson ? encodeMetricsJson : encodeMetrics)(request.groups);
  }
}

/** How many of each there are in the raw JSON, found by name alone. */
function countRaw(value: unknown, counts: Map<string, number> = new Map()): Map<string, number> {
  for (const [name, inner] of Object.entries((value ?? {}) as object)) {
    if (Array.isArray(inner) && COUNTED.has(name)) counts.set(name, (counts.get(name) ?? 0) + inner.length);
    if (typeof inner === 'object') countRaw(inner, counts);
  }
  return counts;
}

const COUNTED: ReadonlySet<string> = new Set(['spans', 'logRecords', 'metrics', 'dataPoints', 'events', 'attributes']);

function countRecords(request: OtlpRequest): Map<string, number> {
  const counts = new Map<string, number>();
  const add = (name: string, count: number): unknown => counts.set(name, (counts.get(name) ?? 0) + count);
  const addAttributes = (holder: { readonly attributes: object }): unknown =>
    add('attributes', Object.keys(holder.attributes).length);
  const seen = new Set<object>();
  for (const { resource } of request.groups) {
    if (!seen.has(resource)) addAttributes({ attributes: resource });
    seen.add(resource);
  }
  if (request.signal === 'traces') {
    for (const span of request.groups.flatMap((group) => group.records)) {
      add('spans', 1);
      add('events', span.events.length);
      for (const holder of [span, ...span.events]) addAttributes(holder);
    }
  } else if (request.signal === 'logs') {
    for (const log of request.groups.flatMap((group) => group.records)) {
      add('logRecords', 1);
      addAttributes(log);
    }
  } else {
    for (const { data } of request.groups.flatMap((group) => group.records)) {
      add('metrics', 1);
      const points = data.type === 'other' ? [] : data.points;
      add('dataPoints', points.length);
      for (const point of points) addAttributes(point);
    }
  }
  return counts;
}

function withoutZeros(counts: Map<string, number>): object {
  return Object.fromEntries([...counts].filter(([, count]) => count > 0));
}

describe('recordings', () => {
  const all = recorded();
  const complete = all.filter(({ payload }) => !('_base64' in payload));

  test('there are some of every signal', () => {
    expect(new Set(complete.map(({ signal }) => signal)).size).toBe(3);
  });

  test.each(complete)('$name: everything arrives, and survives both encodings', ({ signal, payload }) => {
    const request = decodeOtlp(signal, 'json', Buffer.from(JSON.stringify(payload)));
    expect(withoutZeros(countRecords(request))).toEqual(withoutZeros(countRaw(payload)));
    expect(decodeOtlp(signal, 'protobuf', encode(request, 'protobuf'))).toStrictEqual(request);
    expect(decodeOtlp(signal, 'json', encode(request, 'json'))).toStrictEqual(request);
  });

  test.each(all.filter(({ payload }) => '_base64' in payload))(
    '$name: a body that was recorded in part is said to be truncated',
    ({ signal, payload }) => {
      const body = Buffer.from((payload as { readonly _base64: string })._base64, 'base64');
      expect(() => decodeOtlp(signal, 'protobuf', body)).toThrow(OtlpDecodeError);
      expect(() => decodeOtlp(signal, 'protobuf', body)).toThrow(/are left at byte/);
    },
  );
});
