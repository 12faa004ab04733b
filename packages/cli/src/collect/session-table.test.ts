import { memorySink, type MemorySink } from '@spanprism/core';
import { decodeOtlp, type OtlpRequest, type OtlpSignal } from '@spanprism/core/otlp';
import { createSessions } from '@spanprism/core/sessions';
import { openRecording } from '@spanprism/testkit';
import { describe, expect, test } from 'vitest';
import { type SessionLimits, SessionTable } from './session-table.ts';

const LIMITS: SessionLimits = { maxOpen: 2, idleMs: 1_000, idleInTurnMs: 10_000, settleMs: 500 };

const recorded = (signal: OtlpSignal): readonly OtlpRequest[] =>
  openRecording('bash-call').telemetry[signal].map(({ payload }) =>
    decodeOtlp(signal, 'json', Buffer.from(JSON.stringify(payload))),
  );
const [LOGS] = recorded('logs') as [OtlpRequest];
const [TRACES] = recorded('traces') as [OtlpRequest];

function table(): {
  table: SessionTable;
  clock: { now: number };
  sink: MemorySink;
  tell: (id: string, ...what: OtlpRequest[]) => void;
} {
  const clock = { now: 0 };
  const sink = memorySink();
  const sessions = new SessionTable(createSessions({ sinks: [sink] }), LIMITS, () => clock.now);
  let sequence = 0;
  const tell = (id: string, ...what: OtlpRequest[]): void => {
    for (const request of what) {
      sequence += 1;
      sessions.receive(id, request, { sequence, at: clock.now });
    }
  };
  return { table: sessions, clock, sink, tell };
}

const agents = (sink: MemorySink): number => sink.spans.filter(({ kind }) => kind === 'agent').length;

describe('a session', () => {
  test('between turns has ended when it is silent for long', () => {
    const { table: sessions, clock, sink, tell } = table();
    tell('a', LOGS, TRACES);
    clock.now = 1_000;
    sessions.sweep();
    expect(sessions.takeEnded()).toEqual([]);
    clock.now = 1_001;
    sessions.sweep();
    expect([sessions.open, sessions.takeEnded(), agents(sink)]).toEqual([0, [{ id: 'a', lastSequence: 2 }], 1]);
  });

  test.each([
    ['the log of its prompt', [LOGS], true],
    ['its end first', [TRACES, LOGS], false],
    ['its end last', [LOGS, TRACES], false],
  ])('is in a turn after %s: %#', (_, told, isOpen) => {
    const { table: sessions, clock, tell } = table();
    tell('a', ...told);
    clock.now = 9_999;
    sessions.sweep();
    expect(sessions.open).toBe(isOpen ? 1 : 0);
    clock.now = 10_001;
    sessions.sweep();
    expect(sessions.open).toBe(0);
  });

  test('of which least was heard lately makes room for a new one', () => {
    const { table: sessions, tell } = table();
    tell('a', LOGS, TRACES);
    tell('b', LOGS);
    tell('a', LOGS);
    tell('c', LOGS);
    expect([sessions.open, sessions.opened, sessions.takeEnded()]).toEqual([2, 3, [{ id: 'b', lastSequence: 3 }]]);
  });

  test('in the middle of a turn is kept for the next process when this one ends', () => {
    const { table: sessions, sink, tell } = table();
    tell('a', LOGS);
    tell('b', LOGS, TRACES);
    sessions.endAll();
    expect([sessions.open, sessions.takeEnded(), agents(sink)]).toEqual([0, [{ id: 'b', lastSequence: 3 }], 1]);
  });

  test.each([
    ['of a turn that ended before is between turns', TRACES, 0],
    ['of a turn that nothing is known of is in it', undefined, 1],
  ])('that is heard of again %s', (_, before, open) => {
    const { table: sessions, clock, tell } = table();
    if (before !== undefined) tell('a', before);
    clock.now = 2_000;
    sessions.sweep();
    expect(sessions.open).toBe(0);
    // What another session said of its turns is nothing to this one.
    tell('b', TRACES);
    tell('a', LOGS);
    clock.now = 3_001;
    sessions.sweep();
    expect(sessions.open).toBe(open);
  });

  test('begins anew when it is heard of again', () => {
    const { table: sessions, clock, sink, tell } = table();
    tell('a', LOGS, TRACES);
    clock.now = 2_000;
    sessions.sweep();
    tell('a', LOGS, TRACES);
    sessions.endAll();
    const ids = sink.spans.map(({ spanId }) => spanId);
    expect([sessions.opened, agents(sink), new Set(ids).size]).toEqual([2, 2, ids.length]);
  });
});
