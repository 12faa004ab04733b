import { afterAll, describe, expect, test } from 'vitest';
import type { Observation } from '../../../core/src/model/observation.ts';
import { createSessions } from '../../../core/src/sessions.ts';
import { memorySink } from '../../../core/src/sinks/memory-sink.ts';
import { readSession, TranscriptReader } from '../../../core/src/sources/transcript/index.ts';
import { listRecordings, openRecording } from '../recordings/recording.ts';
import { readExpectation, readTree } from './expectation.ts';
import { sessionsOf } from './replay-transcript.ts';
import { type QueryScript, scriptsOf } from './script.ts';
import { treeText } from './tree-text.ts';

/** What the command has of a headless run, telemetry and transcript, shows all that a program's stream would show, but for these lines. */
const DIFFERENCES: Readonly<Record<string, { readonly lacks: readonly string[]; readonly has: readonly string[] }>> = {
  // Who stopped it, and that a call was under way, the program alone knows.
  'abort-controller': {
    lacks: ['agent main aborted', 'llm turn msg_abortcontrolle_001 claude-sonnet-4-5 cancelled'],
    has: ['agent main crashed'],
  },
  'tool-then-hang': { lacks: ['agent main aborted'], has: ['agent main crashed'] },
  // A consumer that went away left a process that went on.
  'consumer-break': { lacks: ['agent main abandoned'], has: ['agent main completed'] },
  'consumer-break-no-hooks': { lacks: ['agent main abandoned'], has: ['agent main completed'] },
  // The transcript has the figures of the call that broke the budget, which telemetry lacks.
  'max-budget': {
    lacks: ['llm turn req_maxbudget_002 claude-sonnet-4-5 ok'],
    has: ['llm turn req_maxbudget_002 claude-sonnet-4-5 in=7300 out=300 ok'],
  },
  // A program answers questions that are a user's at a terminal.
  'permission-allow-wait': { lacks: ['permission allow host'], has: ['permission allow user'] },
  'host-denies': { lacks: ['permission deny host'], has: ['permission deny user'] },
  'permission-deny-canusetool': { lacks: ['permission deny host'], has: ['permission deny user'] },
};

const sink = memorySink();
const sessions = createSessions({ sinks: [sink], capture: 'full', agentName: 'main', diag: () => undefined });
afterAll(() => sessions.close());

interface HeadlessRun {
  readonly name: string;
  readonly script: QueryScript;
  readonly observations: readonly Observation[];
}

/** One process, one session, telemetry that arrived, and a transcript: what `spanprism claude -p` has before it. */
function headlessRuns(): readonly HeadlessRun[] {
  return listRecordings().flatMap((name) => {
    const recording = openRecording(name);
    const [scripts, files] = [scriptsOf(recording, 'cli'), sessionsOf(recording)];
    const [script, session] = [scripts[0], files[0]];
    const isTerminal = recording.messages.length === 0;
    const hasTelemetry = typeof readExpectation(name).sources.cli !== 'string' && script?.steps.length !== 0;
    if (scripts.length !== 1 || files.length !== 1 || isTerminal || !hasTelemetry) return [];
    if (script === undefined || session === undefined) return [];
    const observations: Observation[] = [];
    const reader = new TranscriptReader({ observe: (observation) => void observations.push(observation) });
    for (const _ of readSession(session, reader));
    return [{ name, script, observations: observations.filter(isHandedOn) }];
  });
}

function isHandedOn(observation: Observation): boolean {
  if (observation.type === 'query-end') return observation.by === 'interrupt';
  return observation.type !== 'counters';
}

type Order = 'transcript first' | 'telemetry first';

function treeOf({ script, observations }: HeadlessRun, order: Order): string {
  sink.clear();
  const { parent } = script;
  const session = sessions.open({ sources: ['cli', 'transcript'], ...(parent === undefined ? {} : { parent }) });
  const tell = {
    transcript: () => observations.forEach((observation) => session.observe(observation)),
    telemetry: () => script.steps.forEach(({ what }) => what.type === 'telemetry' && session.receive(what.request)),
  };
  if (order === 'transcript first') tell.transcript();
  tell.telemetry();
  if (order === 'telemetry first') tell.transcript();
  session.end();
  return treeText(sink.spans);
}

describe('telemetry with the transcript of a headless run', () => {
  const runs = headlessRuns();

  test('is what most recordings have', () => expect(runs.length).toBeGreaterThan(50));

  const cases = runs.flatMap((run) =>
    (['transcript first', 'telemetry first'] as const).map((order) => ({ name: run.name, run, order })),
  );
  test.each(cases)('$name, $order: gives the reviewed tree with all its figures', ({ name, run, order }) => {
    const [tree, reviewed] = [treeOf(run, order), readTree(name)];
    const [own, golden] = [linesOf(tree), linesOf(reviewed)];
    const isSame = DIFFERENCES[name] === undefined;
    const { lacks, has } = DIFFERENCES[name] ?? { lacks: [], has: [] };
    expect({ lacks: without(golden, own), has: without(own, golden) }).toEqual({ lacks, has });
    expect(isSame ? tree : reviewed).toBe(reviewed);
  });
});

function linesOf(tree: string): string[] {
  return tree
    .split('\n')
    .map((line) => line.trim())
    .filter((line) => line !== '');
}

function without(lines: readonly string[], others: readonly string[]): readonly string[] {
  const left = [...others];
  return lines.filter((line) => {
    const at = left.indexOf(line);
    if (at !== -1) left.splice(at, 1);
    return at === -1;
  });
}
