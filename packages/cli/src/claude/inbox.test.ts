import type { OtlpRequest } from '@spanprism/core/sessions';
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import { Inbox } from './inbox.ts';

const LOGS: OtlpRequest = { signal: 'logs', groups: [] };
const TRACES: OtlpRequest = { signal: 'traces', groups: [] };

describe('what a child has sent', () => {
  beforeEach(() => void vi.useFakeTimers());
  afterEach(() => void vi.useRealTimers());

  const inboxOf = (): { inbox: Inbox; read: OtlpRequest[] } => {
    const read: OtlpRequest[] = [];
    return { inbox: new Inbox((request) => void read.push(request)), read };
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

  test('is left out where it is no OTLP', () => {
    const { inbox, read } = inboxOf();
    inbox.put(() => undefined);
    inbox.put(() => TRACES);
    inbox.empty();
    expect(read).toEqual([TRACES]);
  });
});
