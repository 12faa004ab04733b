import { describe, expect, test } from 'vitest';
import type { RequestFrame } from './frames.ts';
import { LiveFrames } from './live-frames.ts';

const frame = (sequence: number, ...owners: string[]): RequestFrame => ({
  type: 'request',
  sequence,
  at: 0,
  signal: 'logs',
  encoding: 'json',
  owners,
});

describe('frames on disk', () => {
  test('are needed by nobody who was done before they were found', () => {
    const live = new LiveFrames();
    live.done('a', 2);
    const [first, second] = [live.open('1', 1), live.open('2', 3)];
    live.needs(first, frame(1, 'a'), 10);
    live.needs(second, frame(3, 'a', 'b'), 10);
    live.open('3', 4);
    expect(live.takeUnneeded()).toEqual([first]);
    expect([...live.owners]).toEqual(['a', 'b']);
  });

  test('remember who was done for as long as anything that he was done with is there', () => {
    const live = new LiveFrames();
    const [first, second] = [live.open('1', 1), live.open('2', 3)];
    live.needs(first, frame(1, 'a'), 10);
    live.needs(second, frame(3, 'a', 'b'), 10);
    live.open('3', 5);
    live.done('a', 3);
    expect(live.takeUnneeded()).toEqual([first]);
    expect(live.pending(frame(3, 'a', 'b'))).toEqual(['b']);
    live.done('b', 4);
    expect(live.takeUnneeded()).toEqual([second]);
    // Whoever is called so now is somebody else.
    expect(live.pending(frame(3, 'a', 'b'))).toEqual(['a', 'b']);
  });
});
