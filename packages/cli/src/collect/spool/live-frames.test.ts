import { describe, expect, test } from 'vitest';
import type { FrameHead, RequestFrame } from './frames.ts';
import { LiveFrames, type LiveSegment } from './live-frames.ts';

const frame = (sequence: number, ...owners: string[]): RequestFrame => ({
  type: 'request',
  sequence,
  at: 0,
  signal: 'logs',
  encoding: 'json',
  owners,
});

const write = (live: LiveFrames, segment: LiveSegment, ...heads: FrameHead[]): void => {
  for (const head of heads) live.begin(segment, head, 10).done();
};

describe('frames on disk', () => {
  test('are needed by nobody who was done before they were found', () => {
    const live = new LiveFrames();
    live.done('a', 2);
    const [first, second] = [live.open('1'), live.open('2')];
    live.needs(first, frame(1, 'a'), 10);
    live.needs(second, frame(3, 'a', 'b'), 10);
    live.open('3');
    expect(live.takeUnneeded()).toEqual([first]);
    expect([...live.owners]).toEqual(['a', 'b']);
  });

  test('remember who was done for as long as anything that he was done with is there', () => {
    const live = new LiveFrames();
    const [first, second] = [live.open('1'), live.open('2')];
    write(live, first, frame(1, 'a'));
    write(live, second, frame(3, 'a', 'b'), frame(4, 'b'));
    live.open('3');
    live.done('a', 3);
    expect(live.takeUnneeded()).toEqual([first]);
    expect(live.pending(frame(3, 'a', 'b'))).toEqual(['b']);
    live.done('b', 4);
    expect(live.takeUnneeded()).toEqual([second]);
    // Whoever is called so now is somebody else.
    expect(live.pending(frame(3, 'a', 'b'))).toEqual(['a', 'b']);
  });

  test('remember who was done with what was written anew behind younger ones', () => {
    const live = new LiveFrames();
    const [first, second, third] = [live.open('1'), live.open('2'), live.open('3')];
    write(live, first, frame(1, 'a', 'b'));
    write(live, second, frame(2, 'c'));
    write(live, third, frame(3, 'd'), frame(1, 'a', 'b'));
    live.dropOldest();
    live.done('a', 1);
    live.done('c', 2);
    live.open('4');
    expect(live.takeUnneeded()).toEqual([second]);
    expect(live.pending(frame(1, 'a', 'b'))).toEqual(['b']);
  });

  test('are no reason to remember who was done when only the word of it was left', () => {
    const live = new LiveFrames();
    live.names(live.open('1'), { type: 'done', owner: 'a', sequence: 1 });
    live.done('a', 1);
    live.open('2');
    live.takeUnneeded();
    expect(live.pending(frame(1, 'a'))).toEqual(['a']);
  });

  test('keep the word of who is done until what it is about is gone', () => {
    const live = new LiveFrames();
    const [first, second] = [live.open('1'), live.open('2')];
    write(live, first, frame(1, 'a'), frame(2, 'b'));
    live.done('a', 1);
    write(live, second, { type: 'done', owner: 'a', sequence: 1 });
    live.open('3');
    expect(live.takeUnneeded()).toEqual([]);
    live.done('b', 2);
    expect(live.takeUnneeded()).toEqual([first, second]);
  });
});
