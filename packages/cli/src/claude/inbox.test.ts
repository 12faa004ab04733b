import type { OtlpRequest } from '@spanprism/core/sessions';
import { afterEach, beforeEach, describe, expect, onTestFinished, test, vi } from 'vitest';
import { Inbox } from './inbox.ts';

const LOGS: OtlpRequest = { signal: 'logs', groups: [] };
const TRACES: OtlpRequest = { signal: 'traces', groups: [] };

describe('what a child has sent', () => {
  beforeEach(() => void vi.useFakeTimers());
  afterEach(() => void vi.useRealTimers());

  const inboxOf = (): { inbox: Inbox; read: OtlpRequest[]; troubles: unknown[] } => {
    const read: OtlpRequest[] = [];
    const troubles: unknown[] = [];
    const onTrouble = (error: unknown): void => void troubles.push(error);
    return { inbox: new Inbox({ read: (request) => void read.push(request), onTrouble }), read, troubles };
  };

  test('is not read as long as more is coming, and then in the order in which it came', () => {
    const { inbox, read } = inboxOf();
    inbox.put(() => TRACES);
    vi.advanceTimersByTime(5);
    inbox.put(() => LOGS);
    vi.advanceTimersByTime(5);
    expect(read).toEqual([]);
    vi.advanceTimersByTime(20);
    expect(read).toEqual([TRACES, LOGS]);
  });

  test('is read before long, however much there is', () => {
    const { inbox, read } = inboxOf();
    for (let sent = 0; sent < 100; sent++) {
      inbox.put(() => LOGS);
      vi.advanceTimersByTime(5);
    }
    expect(read.length).toBeGreaterThan(50);
  });

  test('is read at once when the child is gone, and never twice', () => {
    const { inbox, read } = inboxOf();
    inbox.put(() => LOGS);
    inbox.empty();
    expect(read).toEqual([LOGS]);
    vi.advanceTimersByTime(1_000);
    inbox.empty();
    expect(read).toEqual([LOGS]);
  });

  test('is read next where the machine was held up meanwhile; Node would print of a time that is over', () => {
    const timer = vi.spyOn(globalThis, 'setTimeout');
    const { inbox, read } = inboxOf();
    inbox.put(() => TRACES);
    vi.spyOn(performance, 'now').mockReturnValue(performance.now() + 5_000);
    onTestFinished(() => void vi.restoreAllMocks());
    inbox.put(() => LOGS);
    for (const [, ms] of timer.mock.calls) expect(ms).toBeGreaterThanOrEqual(0);
    vi.advanceTimersByTime(1);
    expect(read).toEqual([TRACES, LOGS]);
  });

  test('is read as far as it can be: what breaks the reading of one is told', () => {
    const { inbox, read, troubles } = inboxOf();
    const broken = new Error('broken');
    inbox.put(() => {
      throw broken;
    });
    inbox.put(() => LOGS);
    inbox.empty();
    expect([read, troubles]).toEqual([[LOGS], [broken]]);
  });

  test('is left out where it is no OTLP', () => {
    const { inbox, read } = inboxOf();
    inbox.put(() => undefined);
    inbox.put(() => TRACES);
    inbox.empty();
    expect(read).toEqual([TRACES]);
  });
});
