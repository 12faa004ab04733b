import { hostname, networkInterfaces } from 'node:os';
import type { Diag } from '@spanprism/core';
import { type CommandInput, CommandError, type Io } from '../command.ts';
import { sinksFrom } from '../sinks/sinks-from.ts';
import { type RunningCollector, startCollector } from './collector.ts';
import { forwardTargets, SIGNALS } from './forward-targets.ts';
import { type CollectSettings, collectSettings } from './settings.ts';

/** Of everything that is done between the signal and the end. */
const DRAIN_MS = 15_000;

/** Receives until it is told to stop, and resolves to the exit code. */
export async function runCollect({ values, positionals }: CommandInput, io: Io): Promise<number> {
  if (positionals.length > 0) {
    throw new CommandError({
      what: `collect: "${positionals[0]}" is no option`,
      fix: 'spanprism help collect lists its options',
    });
  }
  const { env } = io;
  const say = (line: string): void => void io.stderr.write(`spanprism: ${line}\n`);
  const diag: Diag = (level, message) => {
    if (level === 'warn' || level === 'error' || env['OTEL_DEBUG'] === '1') say(message);
  };
  const settings = collectSettings(values, env, io.now());
  const targets = forwardTargets(env, values['otlp-endpoint']);
  for (const signal of SIGNALS) refuseOurselves(targets[signal]?.url, settings);
  const chosen = await sinksFrom({ env, diag }, values);
  const [problem] = chosen.problems;
  if (problem !== undefined)
    throw new CommandError({ what: `collect: ${problem}`, fix: 'put it right, or leave it out' });
  const isForwarding = targets.metrics !== undefined;
  const collector = await startCollector({
    settings,
    // The endpoint gets all metrics as they came: its sink would send those of Claude Code a second time.
    sinks: chosen.sinks.map((sink) => (isForwarding && sink.name === 'otlp' ? withoutMetrics(sink) : sink)),
    targets,
    diag,
    now: io.now,
    ...(chosen.capture === undefined ? {} : { capture: chosen.capture }),
  });
  const stopped = stopSignal();
  announce(collector, settings, { places: chosen.places, say });
  const died = collector.died.then((why) => ({
    line: `collect: nothing can be received any more (${why})`,
    exitCode: 1,
  }));
  const asked = stopped.then((signal) => ({ line: signal, exitCode: 0 }));
  const { line, exitCode } = await Promise.race([asked, died]);
  say(`${line}: delivering what is known …`);
  await collector.close(DRAIN_MS);
  return exitCode;
}

/** The environment of a machine often names the collector of that machine, which is us: what came in would come in again for ever. */
function refuseOurselves(endpoint: string | undefined, { port, grpcPort }: CollectSettings): void {
  if (endpoint === undefined) return;
  const url = new URL(endpoint);
  const at = url.port === '' ? (url.protocol === 'https:' ? 443 : 80) : Number(url.port);
  if ((at !== port && at !== grpcPort) || !isThisMachine(url.hostname.replace(/^\[|\]$/g, ''))) return;
  throw new CommandError({
    what: `collect: what is received would be sent to ${url.host}, where it is received`,
    fix: 'name the next place by --otlp-endpoint or OTEL_EXPORTER_OTLP_ENDPOINT, or none; or listen elsewhere (--port)',
  });
}

function isThisMachine(host: string): boolean {
  if (['localhost', '0.0.0.0', '::', hostname()].includes(host) || host.startsWith('127.')) return true;
  return Object.values(networkInterfaces()).some((addresses) => addresses?.some(({ address }) => address === host));
}

function withoutMetrics<S extends { metrics?: unknown }>(sink: S): S {
  const { metrics: _, ...rest } = sink;
  return rest as S;
}

interface Announcement {
  readonly places: readonly string[];
  readonly say: (line: string) => void;
}

function announce(collector: RunningCollector, settings: CollectSettings, { places, say }: Announcement): void {
  const host = settings.host.includes(':') ? `[${settings.host}]` : settings.host;
  const scheme = settings.tls === undefined ? 'http' : 'https';
  const grpc = collector.grpcPort === undefined ? '' : ` and gRPC at ${host}:${collector.grpcPort}`;
  if (!settings.isLoopback && settings.tls === undefined) {
    say('the token and all telemetry cross the network readable: give --tls-cert and --tls-key, or end TLS in front');
  }
  if (collector.replayed > 0) say(`${collector.replayed} requests of an earlier run were read again`);
  say(`collecting at ${scheme}://${host}:${collector.httpPort}${grpc}, into ${places.join(', ')}`);
}

const STOP = ['SIGTERM', 'SIGINT', 'SIGHUP'] as const;

/** The first of the signals that ask a server to end, or of a terminal that was closed; a second one ends it at once. */
function stopSignal(): Promise<string> {
  return new Promise((resolve) => {
    const stop = (signal: NodeJS.Signals): void => {
      for (const other of STOP) process.removeListener(other, stop);
      resolve(signal);
    };
    for (const signal of STOP) process.on(signal, stop);
  });
}
