import type { Observation, Session, Sessions } from '@spanprism/core/sessions';
import {
  type Baseline,
  keyedIds,
  lastWords,
  type ReadOptions,
  readSession,
  TranscriptReader,
  traceIdOf,
} from '@spanprism/core/transcript';
import type { Destination, TurnInHand } from './destination.ts';
import type { FoundSession } from './find-sessions.ts';

export interface ImportContext {
  readonly sessions: Sessions;
  readonly destinations: readonly Destination[];
  /** Files of the sessions that are imported with this one, by id: what was copied from them is theirs. */
  readonly paths: ReadonlyMap<string, string>;
  /** Turns that began before are left out; nanoseconds since 1970. */
  readonly since: bigint | undefined;
}

/** Reads one session into spans; hands over after every row. */
export function* importSession(
  files: FoundSession,
  context: ImportContext,
  options: ReadOptions,
): Generator<void, void, void> {
  const session = new ImportedSession(context);
  for (const destination of context.destinations) destination.sessionBegan(files.goesOn);
  const baselines = new Baselines(context.paths);
  const reader = new TranscriptReader({
    observe: (observation) => session.observe(observation, reader),
    baseline: baselines.of,
    hasLocalTurns: false,
  });
  try {
    yield* readSession(files, reader, { ...options, goesOn: files.goesOn });
  } finally {
    session.end(files.goesOn);
  }
}

/** What sessions had used that this one was forked from. Each is read once. */
class Baselines {
  readonly #paths: ReadonlyMap<string, string>;
  readonly #known: Map<string, ReturnType<typeof lastWords>> = new Map();

  constructor(paths: ReadonlyMap<string, string>) {
    this.#paths = paths;
  }

  of: Baseline = ({ sessionId, rowId }) => {
    const path = this.#paths.get(sessionId);
    if (path === undefined) return undefined;
    const known = this.#known.get(sessionId) ?? lastWords(path);
    this.#known.set(sessionId, known);
    return known.get(rowId);
  };
}

class ImportedSession {
  readonly #context: ImportContext;
  #ids: ReturnType<typeof keyedIds> | undefined;
  #now = 0n;
  #session: Session | undefined;
  #turn: TurnInHand | undefined;
  #turnNumber: number | undefined;
  #hasCalled = false;
  #sessionId = '';

  constructor(context: ImportContext) {
    this.#context = context;
  }

  observe(observation: Observation, { facts }: TranscriptReader): void {
    this.#now = observation.at;
    this.#sessionId = facts.sessionId ?? '';
    this.#ids ??= keyedIds(this.#sessionId);
    if (observation.type === 'turn-start') this.#began(observation);
    else if (observation.type === 'answer' || observation.type === 'call-failed')
      this.#called(observation, facts.copiedFrom);
    this.#session ??= this.#context.sessions.open({
      sources: ['transcript'],
      ids: this.#ids,
      clock: { now: () => this.#now },
      attributes: facts.gitBranch === undefined ? {} : { 'vcs.ref.head.name': facts.gitBranch },
    });
    this.#session.observe(observation);
    if (observation.type !== 'query-end' || observation.by === 'interrupt') return;
    this.#endProcess();
  }

  /** Of what goes on, the latest turn waits for the words with which its process ends, or the turn after it. */
  end(goesOn: boolean): void {
    if (goesOn) this.#session?.discard();
    this.#endProcess();
    for (const destination of this.#context.destinations) destination.sessionEnded();
  }

  #endProcess(): void {
    this.#session?.end();
    this.#session = undefined;
    this.#turn = undefined;
    this.#turnNumber = undefined;
  }

  #began({ turn, userMessageId, at }: Observation & { readonly type: 'turn-start' }): void {
    // Prompts that join a running turn are told of like the one that began it.
    if (turn === this.#turnNumber || userMessageId === undefined) return;
    const { since, destinations } = this.#context;
    const isEarly = since !== undefined && at < since;
    this.#turn = { traceId: traceIdOf(userMessageId), key: `turn:${userMessageId}`, isEarly };
    this.#turnNumber = turn;
    this.#hasCalled = false;
    for (const destination of destinations) destination.turn(this.#turn);
  }

  #called(
    { call, agent }: Observation & { readonly type: 'answer' | 'call-failed' },
    copiedFrom: string | undefined,
  ): void {
    const turn = this.#turn;
    const id = call.requestId ?? call.messageId;
    if (turn === undefined || this.#hasCalled || agent.agentId !== undefined || id === undefined) return;
    this.#hasCalled = true;
    const { destinations, paths } = this.#context;
    const isElsewhere = copiedFrom !== undefined && copiedFrom !== this.#sessionId && paths.has(copiedFrom);
    for (const destination of destinations) {
      if (isElsewhere) destination.isElsewhere(turn);
      else destination.firstCall(turn, `llm:${id}`);
    }
  }
}
