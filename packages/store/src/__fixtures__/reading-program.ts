// A program that reads whatever runs there are until it is stopped, and says of each whether all of it was told as it is.
import { openStore } from '../index.ts';

const [path = ''] = process.argv.slice(2);
const store = openStore(path);

for (;;) {
  for (const { id } of store.runs({ limit: 20 })) {
    const detail = store.run(id);
    for (const span of detail?.spans ?? []) process.stdout.write(`${wordOf(id, span)}\n`);
  }
  await new Promise((resolve) => setImmediate(resolve));
}

type StoredSpan = NonNullable<ReturnType<typeof store.run>>['spans'][number];

function wordOf(runId: string, span: StoredSpan): 'whole' | 'gone' | 'wrong' {
  try {
    const { sessionId, spanId, kind } = span.body();
    const isRight = sessionId === runId && spanId === span.spanId && kind === span.kind && span.name !== '';
    return isRight ? 'whole' : 'wrong';
  } catch (error) {
    return String(error).includes('no longer stored') ? 'gone' : 'wrong';
  }
}
