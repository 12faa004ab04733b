// A program that writes runs of twenty spans until it is stopped, or as many as it is told, and says of each when it is stored.
import type { CapturedSpan, SpanKey } from '@spanprism/core';
import { agent, llm, tool } from '@spanprism/testkit/samples';
import { sqliteSink } from '../index.ts';

const [path = '', name = '', count = 'Infinity', ending = 'close'] = process.argv.slice(2);

function runOf(sessionId: string): readonly CapturedSpan[] {
  const calls = Array.from({ length: 19 }, (_, index) => {
    const ms: readonly [number, number] = [index * 100, index * 100 + 90];
    const draft = { id: index + 2, parent: 1, ms };
    return index % 2 === 0 ? llm({ ...draft, costUsd: 0.001, output: [] }) : tool(draft);
  });
  const spans = [...calls, agent({ id: 1, ms: [0, 2000] })];
  return spans.map((span) => ({ ...span, sessionId, key: `${sessionId}/${span.spanId}` as SpanKey }));
}

const sink = sqliteSink({ path });
for (let run = 0; run < Number(count); run++) {
  // No id begins another: who asks for a run that has just gone must not be given one that is like it.
  const id = `${name}-${run}.`;
  for (const span of runOf(id)) sink.spanEnd(span);
  if (ending === 'exit') continue;
  await sink.flush(60_000);
  process.stdout.write(`${id}\n`);
}
if (ending === 'exit') {
  process.on('exit', () => sink.persistSync());
  process.exit(0);
}
await sink.close(60_000);
