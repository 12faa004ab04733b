import { startCollector as startBackend } from '@spanprism/testkit';
import { expect, test } from 'vitest';
import { forwardTargets } from './forward-targets.ts';
import { Forwarder } from './forwarder.ts';

test('what waits for an endpoint keeps no memory but its own, in which it came with others', async () => {
  await using backend = await startBackend();
  backend.behave({ kind: 'status', status: 503 });
  const forwarder = new Forwarder(forwardTargets({}, backend.url), () => undefined);
  const many = new Uint8Array(1_000);
  many.set([0x0a, 0x00], 500);
  forwarder.forward('traces', 'protobuf', many.subarray(500, 502));
  many.fill(0xff);
  backend.recover();
  await forwarder.close(10_000);
  expect(backend.requests.map(({ body }) => [...body]).at(-1)).toEqual([0x0a, 0x00]);
});
