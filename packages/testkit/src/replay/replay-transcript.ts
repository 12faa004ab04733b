import { readFileSync } from 'node:fs';
import { Assembler } from '../../../core/src/assemble/assembler.ts';
import type { AssemblerOptions } from '../../../core/src/assemble/run.ts';
import type { IdSource } from '../../../core/src/model/ids.ts';
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
import type { Played, Told } from './replay.ts';

/** Reads the session files of a recording; one entry per process. What a fork copied is counted where it first happened. */
export function replayTranscripts(recording: Recording): readonly Played[] {
  const keys = new Set<string>();
  return sessionsOf(recording)
    .flatMap((files) => playSession(files))
    .map((played) => ({
      ...played,
      spans: played.spans.filter(({ key }) => {
        const isNew = !keys.has(key);
        keys.add(key);
        return isNew;
      }),
    }))
    .filter(({ spans }) => spans.length > 0);
}

/** Reads the files of one session. */
export function playSession(files: SessionFiles, options: ReadOptions = {}): readonly Played[] {
  return playRows((reader) => {
    for (const _ of readSession(files, reader, options));
  });
}

/** What `read` hands to a reader, through an assembler for each process that wrote the rows. */
export function playRows(read: (reader: TranscriptReader) => void): readonly Played[] {
  const processes: Played[] = [];
  let told: Told[] = [];
  let now = 0n;
  let assembler: Assembler | undefined;
  let ids: IdSource | undefined;
  const reader = new TranscriptReader({
    observe: (observation) => {
      now = observation.at;
      ids ??= keyedIds(reader.facts.sessionId ?? '');
      assembler ??= newAssembler({ ids, clock: { now: () => now }, told });
      assembler.observe(observation);
      if (observation.type !== 'query-end' || observation.by === 'interrupt') return;
      assembler.end();
      const { counters, openAgents, held } = assembler;
      const spans = told.flatMap((event) => (event.type === 'end' ? [event.span] : []));
      processes.push({ told, spans, counters, openAgents, held });
      told = [];
      assembler = undefined;
    },
  });
  read(reader);
  return processes;
}

function newAssembler({ ids, clock, told }: Pick<AssemblerOptions, 'ids' | 'clock'> & { told: Told[] }): Assembler {
  return new Assembler({
    output: {
      start: (span) => void told.push({ type: 'start', span }),
      end: (span) => void told.push({ type: 'end', span }),
      turnEnd: (rootSpanId) => void told.push({ type: 'turn-end', rootSpanId }),
    },
    ids,
    clock,
    expects: { sdk: true, cli: false },
    agentName: 'main',
    attributes: {},
    settleMs: 2_000,
    isResumed: false,
  });
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
