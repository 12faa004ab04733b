import { readFileSync } from 'node:fs';
import { Assembler } from '../../../core/src/assemble/assembler.ts';
import type { RunCounters } from '../../../core/src/assemble/run.ts';
import type { Observation } from '../../../core/src/model/observation.ts';
import type { Span } from '../../../core/src/model/span.ts';
import {
  keyedIds,
  type ReadOptions,
  readSession,
  type SessionFiles,
  TranscriptReader,
} from '../../../core/src/sources/transcript/index.ts';
import { subagentOf } from '../../../core/src/sources/transcript/session-files.ts';
import { asString, parseJson } from '../json.ts';
import type { RecordedTranscript, Recording } from '../recordings/recording.ts';

/** What one process left in its session's files. */
export interface PlayedProcess {
  readonly spans: readonly Span[];
  readonly counters: Readonly<RunCounters>;
}

/** Reads the session files of a recording; one entry per process. What a fork copied is counted where it first happened. */
export function replayTranscripts(recording: Recording): readonly PlayedProcess[] {
  const keys = new Set<string>();
  return sessionsOf(recording)
    .flatMap((files) => playSession(files))
    .map(({ spans, counters }) => ({
      counters,
      spans: spans.filter(({ key }) => {
        const isNew = !keys.has(key);
        keys.add(key);
        return isNew;
      }),
    }))
    .filter(({ spans }) => spans.length > 0);
}

/** Reads one session through the reader and an assembler for each of its processes. */
export function playSession(files: SessionFiles, options: ReadOptions = {}): readonly PlayedProcess[] {
  const processes: PlayedProcess[] = [];
  let spans: Span[] = [];
  let now = 0n;
  let assembler: Assembler | undefined;
  let ids: ReturnType<typeof keyedIds> | undefined;
  const observe = (observation: Observation): void => {
    now = observation.at;
    ids ??= keyedIds(reader.facts.sessionId ?? '');
    assembler ??= new Assembler({
      output: { start: () => undefined, end: (span) => void spans.push(span), turnEnd: () => undefined },
      ids,
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
    processes.push({ spans, counters: assembler.counters });
    spans = [];
    assembler = undefined;
  };
  const reader = new TranscriptReader({ observe });
  for (const _ of readSession(files, reader, options));
  return processes;
}

/** The sessions of a recording, with their subagents, in the order in which they began. */
export function sessionsOf({ transcripts }: Recording): readonly SessionFiles[] {
  const main = transcripts.filter(({ agentId }) => agentId === undefined);
  return main
    .toSorted((a, b) => a.path.length - b.path.length)
    .map(({ path, rows }) => {
      const sessionId = rows.map((row) => asString(row['sessionId'])).find((id) => id !== undefined);
      const own = transcripts.filter((one) => one.agentId !== undefined && one.path.includes(`/${sessionId}__`));
      return { path, bytes: 0, modifiedMs: 0, subagents: own.map(subagentFile) };
    });
}

function subagentFile({ path, agentId = '' }: RecordedTranscript): SessionFiles['subagents'][number] {
  const meta = parseJson(readFileSync(path.replace(/\.jsonl$/, '.meta.json'), 'utf8'));
  return { path, bytes: 0, ...subagentOf(agentId, meta) };
}
