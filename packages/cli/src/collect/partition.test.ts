import { decodeOtlp, type OtlpAttributes, type OtlpRequest } from '@spanprism/core/otlp';
import { describe, expect, test } from 'vitest';
import { withoutGroups } from './foreign-body.ts';
import { partition } from './partition.ts';
import { byTrace, SessionIds } from './session-ids.ts';

const CLAUDE = 'com.anthropic.claude_code.tracing';

type Scopes = Readonly<Record<string, readonly (readonly [name: string, session?: string])[]>>;

/** An export in JSON: resources with scopes with spans, each of a session or none. */
function exported(...resources: readonly Scopes[]): Buffer {
  const keyed = (key: string, value: string) => ({ key, value: { stringValue: value } });
  const resourceSpans = resources.map((scopes, index) => ({
    resource: { attributes: [keyed('host', String(index))] },
    scopeSpans: Object.entries(scopes).map(([scope, spans]) => ({
      scope: { name: scope },
      spans: spans.map(([name, session]) => ({
        name,
        attributes: session === undefined ? [] : [keyed('session.id', session)],
      })),
    })),
  }));
  return Buffer.from(JSON.stringify({ resourceSpans }));
}

const decoded = (body: Uint8Array): OtlpRequest => decodeOtlp('traces', 'json', body);

const names = (request: OtlpRequest | undefined): unknown =>
  request?.groups.map((group) => group.records.map((record) => (record as { name: string }).name));

describe('a request', () => {
  test('of one session is that session’s as it is', () => {
    const request = decoded(
      exported({
        [CLAUDE]: [
          ['a', 's1'],
          ['b', 's1'],
        ],
      }),
    );
    const { sessions, isClaudes, records } = partition(request);
    expect([...sessions]).toEqual([['s1', request]]);
    expect([isClaudes, records]).toEqual([[true], 2]);
  });

  test('of several sessions and of others is told apart record by record', () => {
    const { sessions, isClaudes, homeless, records } = partition(
      decoded(
        exported(
          { [CLAUDE]: [['a', 's1'], ['b', 's2'], ['c', 's1'], ['lost']], mine: [['d', 's1']] },
          { [CLAUDE]: [['e', 's2']] },
          { [CLAUDE]: [['f']] },
        ),
      ),
    );
    expect([...sessions].map(([id, request]) => [id, names(request)])).toEqual([
      ['s1', [['a', 'c']]],
      ['s2', [['b'], ['e']]],
    ]);
    // Of a group in which nobody names a session nothing is known: it goes on as it came.
    expect(isClaudes).toEqual([true, false, true, false]);
    expect([homeless, records]).toEqual([1, 7]);
  });

  test('whose group is of one session takes records without one along', () => {
    const request = decoded(exported({ [CLAUDE]: [['a', 's1'], ['b']] }));
    expect(partition(request).sessions.get('s1')).toEqual(request);
  });

  test('of metrics is told apart point by point', () => {
    const point = (session: string, value: number) => ({
      asInt: value,
      attributes: [{ key: 'session.id', value: { stringValue: session } }],
    });
    const sum = { aggregationTemporality: 1, dataPoints: [point('s1', 1), point('s2', 2), point('s1', 3)] };
    const body = {
      resourceMetrics: [
        { scopeMetrics: [{ scope: { name: 'com.anthropic.claude_code' }, metrics: [{ name: 'm', sum }] }] },
      ],
    };
    const { sessions } = partition(decodeOtlp('metrics', 'json', Buffer.from(JSON.stringify(body))));
    const values = [...sessions].map(([id, request]) => [
      id,
      request.signal === 'metrics' &&
        request.groups[0]?.records.map(({ data }) => data.type === 'sum' && data.points.map(({ value }) => value)),
    ]);
    expect(values).toEqual([
      ['s1', [[1, 3]]],
      ['s2', [[2]]],
    ]);
  });
});

/** Protobuf of the same export, by hand: fields 1 and 2 of each level. */
function protobuf(...resources: readonly Scopes[]): Buffer {
  const field = (tag: number, content: Buffer): Buffer => {
    const length = [];
    for (let rest = content.length; ; rest >>= 7) {
      if (rest < 128) {
        length.push(rest);
        break;
      }
      length.push((rest & 127) | 128);
    }
    return Buffer.concat([Buffer.from([tag, ...length]), content]);
  };
  const text = (tag: number, value: string): Buffer => field(tag, Buffer.from(value));
  return Buffer.concat(
    resources.map((scopes) =>
      field(
        0x0a,
        Buffer.concat([
          field(0x0a, Buffer.alloc(0)),
          ...Object.entries(scopes).map(([scope, spans]) =>
            field(
              0x12,
              Buffer.concat([field(0x0a, text(0x0a, scope)), ...spans.map(([name]) => field(0x12, text(0x2a, name)))]),
            ),
          ),
          text(0x1a, 'schema'),
        ]),
      ),
    ),
  );
}

describe('what goes on of a request', () => {
  const scopes: readonly Scopes[] = [
    { mine: [['a'.repeat(300)]], [CLAUDE]: [['b', 's']], yours: [['c']] },
    { [CLAUDE]: [['d', 's']] },
    { theirs: [['e']] },
  ];
  const kept: readonly Scopes[] = [{ mine: [['a'.repeat(300)]], yours: [['c']] }, { theirs: [['e']] }];

  test('is the rest of it, byte for byte, in protobuf', () => {
    const isLeftOut = [false, true, false, true, false];
    expect(Buffer.from(withoutGroups(protobuf(...scopes), 'protobuf', isLeftOut))).toEqual(protobuf(...kept));
  });

  test('is the rest of it in JSON, with numbers as they were written', () => {
    const span = (extra: string) => `{"name":"n","big":18446744073709551615,"real":1.0,"text":"\\ud83d"${extra}}`;
    const resource = (scope: string) =>
      `{"resource":{},"scopeSpans":[{"scope":{"name":"${scope}"},"spans":[${span('')}]}]}`;
    const body = `{"resourceSpans":[${resource('x')},${resource(CLAUDE)}]}`;
    const rest = Buffer.from(withoutGroups(Buffer.from(body), 'json', [false, true])).toString();
    expect(rest).toBe(`{"resourceSpans":[${resource('x')}]}`);
  });
});

describe('ids', () => {
  const minted = (...requests: readonly string[]): readonly string[] => {
    const ids = new SessionIds('s1');
    return requests.flatMap((request) => {
      ids.reading(request, '');
      return [ids.spanId(), ids.spanId(), ids.traceId()];
    });
  };

  test('follow from the session and the request', () => {
    expect(minted('1/10', '2/20')).toEqual(minted('1/10', '2/20'));
    expect(new Set([...minted('1/10', '2/20'), ...minted('1/11')]).size).toBe(9);
    expect(minted('2/20')).toEqual(minted('1/10', '2/20').slice(3));
    for (const id of minted('1/10')) expect(id).toMatch(/^([0-9a-f]{16}|[0-9a-f]{32})$/);
  });

  test('of traces are those that Claude Code gave', () => {
    const ids = new SessionIds('s1');
    ids.reading('1/10', 'ab'.repeat(16));
    expect(ids.traceId()).toBe('ab'.repeat(16));
    ids.reading('1/10', '0'.repeat(32));
    expect(ids.traceId()).not.toBe('0'.repeat(32));
  });

  test('a request of several traces is read trace by trace', () => {
    const record = (traceId: string, name: string) => ({ traceId, name, attributes: {} as OtlpAttributes });
    const groups = [
      { resource: {}, scope: { name: CLAUDE }, records: [record('t1', 'a'), record('t2', 'b'), record('t1', 'c')] },
    ];
    const parts = byTrace({ signal: 'traces', groups } as unknown as OtlpRequest);
    expect(parts.map(({ traceId, part }) => [traceId, names(part)])).toEqual([
      ['t1', [['a', 'c']]],
      ['t2', [['b']]],
    ]);
  });
});
