import { Assembler } from '../../../assemble/assembler.ts';
import type { Observation } from '../../../model/observation.ts';
import type { Span } from '../../../model/span.ts';
import { keyedIds } from '../keyed-ids.ts';
import { readRow, type SkipReason } from '../row.ts';
import type { Subagent } from '../subagent-rows.ts';
import { TranscriptReader, type TranscriptReaderOptions } from '../transcript-reader.ts';

/** Spans of each process that wrote into these files: the session's own, and then whole those of its subagents. */
export function playedRows(
  text: string,
  subagents: readonly (Subagent & { readonly text: string })[] = [],
  options: Pick<TranscriptReaderOptions, 'hasLocalTurns'> = {},
): { readonly processes: readonly (readonly Span[])[]; readonly skipped: readonly SkipReason[] } {
  const processes: Span[][] = [];
  const skipped: SkipReason[] = [];
  let spans: Span[] = [];
  let assembler: Assembler | undefined;
  let now = 0n;
  const observe = (observation: Observation): void => {
    now = observation.at;
    assembler ??= new Assembler({
      output: { hearsStarts: false, start: () => undefined, end: (span) => void spans.push(span), turnEnd: () => undefined },
      ids: keyedIds('test'),
      clock: { now: () => now },
      expects: { sdk: true, cli: false },
      agentName: 'main',
      attributes: {},
      settleMs: 2_000,
      isResumed: false,
    });
    assembler.observe(observation);
    if (observation.type !== 'query-end' || observation.by === 'interrupt') return;
    assembler.end();
    processes.push(spans);
    spans = [];
    assembler = undefined;
  };
  const reader = new TranscriptReader({ observe, ...options });
  const rowsOf = (lines: string) =>
    lines.split('\n').flatMap((line, index) => {
      const row = readRow({ number: index + 1, bytes: Buffer.from(line), isCut: false, readBytes: 0 });
      if (row === 'silent') return [];
      if (!('skipped' in row)) return [row];
      skipped.push(row.skipped);
      return [];
    });
  const rows = rowsOf(text);
  // All of it happens after the second row, which is the call that asks for subagents.
  for (const row of rows.slice(0, 2)) reader.read(row);
  for (const { text: own, ...subagent } of subagents) {
    for (const row of rowsOf(own)) reader.readSubagent(row, subagent);
    reader.endSubagent(subagent.agentId);
  }
  for (const row of rows.slice(2)) reader.read(row);
  reader.end();
  return { processes, skipped };
}
