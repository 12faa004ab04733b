import type { Server } from 'node:http';
import type { Socket } from 'node:net';
import type { Attributes, Diag, Sink } from '@spanprism/core';
import type { Environment, TraceContext } from '@spanprism/core/child';
import type { ChildWire } from '@spanprism/core/wire';
import { childReceiver, createSessions, plainAttributes, type SessionEnd, type Unread } from '@spanprism/core/sessions';
import { type ChosenSinks, sinksFrom } from '../sinks/sinks-from.ts';
import type { ForwardParts } from './forward.ts';
import { Inbox } from './inbox.ts';
import { JoinedSession, type JoinedSessionParts } from './joined-session.ts';
import type { OpenPort } from './open-port.ts';
import type { OwnTelemetry } from './own-telemetry.ts';
import { type RunTotals, TotalsSink } from './run-totals.ts';

export interface TraceRunParts {
  readonly env: Environment;
  /** With what settings files put over it. */
  readonly exported: Environment;
  readonly flags: Readonly<Record<string, unknown>>;
  /** What `claude` was given. */
  readonly args: readonly string[];
  /** When it was started, nanoseconds since 1970. */
  readonly startedAt: bigint;
  readonly port: OpenPort;
  readonly token: string;
  readonly own: OwnTelemetry;
  /** The span around the run, of another process. */
  readonly parent?: TraceContext;
  /** Where the child was told that its first turn is. */
  readonly firstTurn?: TraceContext;
  readonly attributes: Attributes;
  /** Its requests to the model, if they are captured. */
  readonly wire?: ChildWire;
  readonly diag: Diag;
}

export interface RunReport {
  readonly totals: RunTotals;
  readonly chosen: ChosenSinks;
  /** Batches that the child has sent. */
  readonly received: number;
}

export interface RunTrace {
  /** The child is gone: takes what it has sent, ends what is open, and delivers, within the deadline. */
  finish(by: SessionEnd, deadlineMs: number): Promise<RunReport>;
}

/** How much of the time left at the end the child's last words may take to arrive: they are in this machine already. */
const ARRIVAL_SHARE = 0.25;
/** What of it delivery has at least, however much of the transcript is left to read. */
const DELIVERY_SHARE = 0.4;

/** Traces one run of `claude`, of which all that matters comes in at the port. */
export async function traceRun(parts: TraceRunParts): Promise<RunTrace> {
  const { env, flags, port, token, own, diag } = parts;
  const chosen = await sinksFrom({ env, diag, usesOtlpVariables: own.traces === undefined }, flags);
  const totals = new TotalsSink();
  const sessions = createSessions({
    sinks: [...chosen.sinks, totals],
    attributes: { ...parts.attributes, ...attributesOf(flags) },
    diag,
    ...(chosen.capture === undefined ? {} : { capture: chosen.capture }),
  });
  const session = new JoinedSession({
    env,
    files: filesOf(parts.args),
    startedAt: parts.startedAt,
    isWired: parts.wire !== undefined,
    onTrouble: (error) => diag('warn', `the transcript of this run cannot be read: ${String(error)}`),
    open: ({ sources }) =>
      sessions.open({
        sources,
        handsOnMetrics: own.metrics === undefined,
        ...(parts.parent === undefined ? {} : { parent: parts.parent }),
        ...(parts.firstTurn === undefined ? {} : { firstTurn: parts.firstTurn }),
      }),
  });
  parts.wire?.listen((observation) => session.observe(observation));
  let received = 0;
  const inbox = new Inbox({
    read: (request) => session.receive(request),
    onTrouble: (error) => diag('warn', `an export of claude could not be used: ${String(error)}`),
  });
  const batch = (unread: Unread): void => {
    received += 1;
    inbox.put(unread);
  };
  const server = childReceiver({
    token,
    batch,
    rejected: (reason) => diag('warn', `an export of claude was refused: ${reason}`),
  });
  const sockets = serve(port, await forwarded({ server, token, own, env: parts.exported, batch }));
  return {
    finish: async (by, deadlineMs) => {
      const until = performance.now() + deadlineMs;
      await Promise.all([sockets.closed(deadlineMs * ARRIVAL_SHARE), parts.wire?.drained(deadlineMs * ARRIVAL_SHARE)]);
      inbox.empty();
      await session.end(by, until - deadlineMs * DELIVERY_SHARE);
      chosen.writeStore?.();
      await sessions.close(Math.max(0, until - performance.now()));
      return { totals: totals.totals, chosen: reached(chosen), received };
    },
  };
}

/** Without the places where nothing has arrived: of what was lost, their sinks have told. */
function reached(chosen: ChosenSinks): ChosenSinks {
  const { storePath, ...others } = chosen;
  const places = chosen.places.filter((_place, index) => hasArrived(chosen.sinks[index]));
  const isStored = storePath !== undefined && places.includes(storePath);
  return { ...others, places, ...(isStored ? { storePath } : {}) };
}

function hasArrived(sink: Sink | undefined): boolean {
  const stats = sink?.stats?.();
  return stats === undefined || stats.delivered > 0 || Object.keys(stats.dropped).length === 0;
}

function attributesOf({ user, project, tag }: Readonly<Record<string, unknown>>): Attributes {
  return plainAttributes({
    ...(typeof user === 'string' ? { userId: user } : {}),
    ...(typeof project === 'string' ? { project } : {}),
    ...(Array.isArray(tag) ? { tags: tag.map(String) } : {}),
  });
}

/** What is printed is one session; at a terminal it may be cleared, resumed or left for another. */
function filesOf(args: readonly string[]): JoinedSessionParts['files'] {
  const end = args.indexOf('--');
  const flags = end === -1 ? args : args.slice(0, end);
  if (flags.includes('--no-session-persistence')) return 'none';
  return flags.some((flag) => flag === '-p' || flag === '--print') ? 'one' : 'many';
}

/** What the user exports himself goes on to where he exports it. Loaded only then: HTTP/2 is in it. */
async function forwarded(parts: ForwardParts): Promise<Server> {
  if (Object.keys(parts.own).length === 0) return parts.server;
  const { forwarding } = await import('./forward.ts');
  return forwarding(parts);
}

/** Serves the port and knows when nobody is connected any more. */
function serve(port: OpenPort, server: Server): { closed(deadlineMs: number): Promise<void> } {
  const open = new Set<Socket>();
  let onEmpty = (): void => undefined;
  port.serve((socket) => {
    open.add(socket);
    socket.once('close', () => {
      open.delete(socket);
      if (open.size === 0) onEmpty();
    });
    server.emit('connection', socket);
  });
  return {
    closed: (deadlineMs) =>
      new Promise((resolve) => {
        if (open.size === 0) return resolve();
        const timer = setTimeout(resolve, deadlineMs);
        onEmpty = () => {
          clearTimeout(timer);
          resolve();
        };
      }),
  };
}
