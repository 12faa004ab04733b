import { expect, test } from 'vitest';
import { BodyRoom } from './body-room.ts';

const MB = 1024 * 1024;

test('a body takes room until it is answered, however small it was when it came in', async () => {
  const room = new BodyRoom({ maxSentBytes: MB, maxUnpackedBytes: MB });
  const answers: (() => void)[] = [];
  const answered = (): Promise<void> => new Promise((resolve) => answers.push(resolve));
  const held = Array.from({ length: 4 }, () => room.hold(new Uint8Array(MB), answered));
  await expect(room.hold(new Uint8Array(1), answered)).rejects.toMatchObject({ reason: 'full' });
  answers[0]?.();
  await held[0];
  const next = room.hold(new Uint8Array(MB), () => Promise.reject(new Error('refused')));
  await expect(next).rejects.toThrow('refused');
  await room.hold(new Uint8Array(MB), () => Promise.resolve());
});
