import type { CaptureOptions, Diag, Sink } from '@spanprism/core';
import { createSessions, type Sessions } from '@spanprism/core/sessions';
import { CommandError } from '../command.ts';
import { Counters } from './counters.ts';
import { PATIENCE, type Patience } from './doors/connections.ts';
import type { Desk } from './doors/desk.ts';
import type { RefusalReason } from './doors/refusals.ts';
import { startDoors } from './doors/start-doors.ts';
import type { ForwardTargets } from './forward-targets.ts';
import { Forwarder } from './forwarder.ts';
import { Intake } from './intake.ts';
import { prometheusText } from './prometheus.ts';
import { Releaser } from './releaser.ts';
import { SessionTable } from './session-table.ts';
import type { CollectSettings } from './settings.ts';
import { RequestSpool, type StoredRequest } from './spool/request-spool.ts';

export interface CollectorParts {
  readonly settings: CollectSettings;
  readonly sinks: readonly Sink[];
  readonly capture?: CaptureOptions;
  readonly targets: ForwardTargets;
  readonly diag: Diag;
  readonly now: () => Date;
  readonly patience?: Patience;
}

export interface RunningCollector {
  readonly httpPort: number;
  readonly grpcPort: number | undefined;
  /** How many requests of an earlier process were read again. */
  readonly replayed: number;
  /** Resolves to the reason when nothing can be received any more; what was acknowledged is on disk. */
  readonly died: Promise<string>;
  /** Takes no more, answers what is under way, delivers what is known, and lets go of everything, within the deadline. */
  close(deadlineMs: number): Promise<void>;
}

/** Of spans that wait in a sink which does not say how full it is. */
const MOST_QUEUED = 8_000;
/** Where senders begin to wait, so that sinks never have to give up anything. */
const FULL = 0.5;

/** Starts to receive. Rejects with a `CommandError` when it cannot listen or has no place for its spool. */
export async function startCollector(parts: CollectorParts): Promise<RunningCollector> {
  const { settings, diag, now } = parts;
  const spool = await openSpool(parts);
  const sessions = createSessions({
    sinks: parts.sinks,
    diag,
    ...(parts.capture === undefined ? {} : { capture: parts.capture }),
  });
  const counters = new Counters();
  const nowMs = (): number => now().getTime();
  const table = new SessionTable(sessions, settings.sessions, nowMs);
  const forwarder = new Forwarder(parts.targets, diag);
  const areSinksFull = (): boolean => areFull(parts.sinks);
  const onFault = (error: unknown): void => diag('error', `collect: ${textOf(error)}`);
  const intake = new Intake({ spool, table, forwarder, counters, areSinksFull, onFault, now: nowMs });
  const observed = { sessions, table, spool, forwarder, startedAt: now() };
  const desk: Desk = {
    take: (arrival) => intake.take(arrival),
    state: async () => ({ notReady: intake.notReady, trouble: intake.trouble }),
    metricsText: async () => prometheusText(counters, gauges(observed)),
  };
  const keeper = { desk, diag, onRefused: (reason: RefusalReason) => counters.rejected.add([reason]) };
  const { patience = PATIENCE } = parts;
  // Who comes before the old is read again is asked to come later: in the meantime the port is ours, and says how things stand.
  const opened = await startDoors(keeper, { ...settings, patience }).catch(async (error: unknown) => {
    await Promise.allSettled([sessions.close(0), spool.close()]);
    throw error;
  });
  for await (const found of spool.unfinished()) replay(intake, found, diag);
  intake.start();
  const releaser = new Releaser({ spool, sessions, table, forwarder, intake });
  releaser.start();
  return {
    httpPort: opened.httpPort,
    grpcPort: opened.grpcPort,
    replayed: counters.replayed,
    died: opened.died,
    close: async (deadlineMs) => {
      const until = performance.now() + deadlineMs;
      const left = (): number => Math.max(0, until - performance.now());
      intake.stop();
      await opened.close(left() / 4);
      intake.tellAll();
      await releaser.finish(left() / 2);
      await Promise.allSettled([sessions.close(left()), forwarder.close(left())]);
      await spool.close();
    },
  };
}

/** Another version may have taken what this one cannot read: it stays where it is, and holds nobody up. */
function replay(intake: Intake, found: StoredRequest, diag: Diag): void {
  try {
    intake.replay(found);
  } catch (error) {
    diag('error', `collect: a request in the spool cannot be read (${textOf(error)})`);
  }
}

async function openSpool({ settings, diag }: CollectorParts): Promise<RequestSpool> {
  try {
    return await RequestSpool.open({ ...settings.spool, onTrouble: (message) => diag('error', `collect: ${message}`) });
  } catch (error) {
    if (error instanceof CommandError) throw error;
    throw new CommandError({
      what: `collect: the spool ${settings.spool.folder} cannot be used (${textOf(error)})`,
      fix: 'give a folder that this user may write to with --spool',
      exitCode: 1,
    });
  }
}

function areFull(sinks: readonly Sink[]): boolean {
  return sinks.some((sink) => {
    const { fullness } = sink as { readonly fullness?: number };
    return (fullness ?? (sink.stats?.().queued ?? 0) / MOST_QUEUED) > FULL;
  });
}

interface Observed {
  readonly sessions: Sessions;
  readonly table: SessionTable;
  readonly spool: RequestSpool;
  readonly forwarder: Forwarder;
  readonly startedAt: Date;
}

function gauges({ sessions, table, spool, forwarder, startedAt }: Observed): Parameters<typeof prometheusText>[1] {
  const { sinks, observations } = sessions.stats();
  return {
    openSessions: table.open,
    openedSessions: table.opened,
    spoolBytes: spool.bytes,
    spoolMaxBytes: spool.maxBytes,
    residentBytes: process.memoryUsage.rss(),
    startedAt,
    sinks,
    forwarder: forwarder.stats(),
    unused: { ...observations },
  };
}

function textOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
