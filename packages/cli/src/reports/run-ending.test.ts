import { openStore } from '@spanprism/store';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { call, turn } from './__fixtures__/drafts.ts';
import { writeSpans } from './__fixtures__/recorded-store.ts';
import { runReport } from './__fixtures__/run-report.ts';
import { storeFolder } from './__fixtures__/store-folder.ts';
import { endingOf } from './run-ending.ts';

const store = join(await storeFolder(), 'spans.db');

test('a run that ended well, failed, was cut short or has not ended are four things', async () => {
  const at = (seconds: number): [number, number] => [seconds * 1000, seconds * 1000 + 500];
  const error = { type: 'max_turns', message: 'too many' };
  await writeSpans(store, {
    spans: [
      turn({ id: 't', session: 'well', at: at(4) }),
      turn({ id: 't', session: 'failed', at: at(3) }, { status: 'error', outcome: 'max_turns', error }),
      turn({ id: 't', session: 'cut', at: at(2) }, { status: 'cancelled', outcome: 'interrupted' }),
      call({ id: 'c', parent: 't', session: 'open', at: at(1) }),
    ],
  });
  const opened = openStore(store);
  expect(opened.runs().map((run) => [run.id, endingOf(run).sign, endingOf(run).word])).toEqual([
    ['well', '✓', 'completed'],
    ['failed', '✗', 'max_turns'],
    ['cut', '○', 'interrupted'],
    ['open', '·', 'open'],
  ]);
  opened.close();
  const [head] = (await runReport(['show', 'cut'], { store })).stdout.split('\n');
  expect(head).toBe('○ cut  interrupted · claude');
});
