import { X509Certificate } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { isIP } from 'node:net';
import { homedir } from 'node:os';
import { join } from 'node:path';
import { createSecureContext } from 'node:tls';
import type { Environment } from '@spanprism/core/otlp';
import { CommandError } from '../command.ts';
import type { DoorSettings, TlsFiles } from './doors/door-settings.ts';
import type { SessionLimits } from './session-table.ts';
import type { SyncPolicy } from './spool/segment-writer.ts';

export interface CollectSettings extends Omit<DoorSettings, 'patience'> {
  readonly spool: { readonly folder: string; readonly maxBytes: number; readonly sync: SyncPolicy };
  readonly sessions: SessionLimits;
}

type Values = Readonly<Record<string, unknown>>;

const MB = 1024 * 1024;

/** Reads the command line; throws a `CommandError` on what cannot be. */
export function collectSettings(values: Values, env: Environment, now: Date): CollectSettings {
  const host = text(values, 'host') ?? '127.0.0.1';
  const isLoopback = isLoopbackAddress(host);
  const token = text(values, 'token') ?? nonEmpty(env['SPANPRISM_COLLECT_TOKEN']);
  if (!isLoopback && token === undefined) {
    throw new CommandError({
      what: `collect: --host ${host} lets other machines in, and there is no token`,
      fix: 'give one by SPANPRISM_COLLECT_TOKEN or --token, or listen on 127.0.0.1',
    });
  }
  const port = numberOf(values, 'port', { otherwise: 4318, most: 65_535, least: 0 });
  const isGrpcOff = values['grpc-port'] === 'off';
  return {
    host,
    isLoopback,
    port,
    grpcPort: isGrpcOff ? undefined : numberOf(values, 'grpc-port', { otherwise: 4317, most: 65_535, least: 0 }),
    token,
    tls: tlsFiles(text(values, 'tls-cert'), text(values, 'tls-key'), now),
    spool: {
      folder: text(values, 'spool') ?? defaultSpool(env, port),
      maxBytes: numberOf(values, 'spool-mb', { otherwise: 1024 }) * MB,
      sync: syncPolicy(text(values, 'fsync')),
    },
    maxRequestBytes: numberOf(values, 'max-request-mb', { otherwise: 64 }) * MB,
    sessions: sessionLimits(values),
  };
}

/** A turn may be silent for long while its user is asked, or a tool runs. */
const IDLE_IN_TURN_MS = 2 * 3_600_000;

function sessionLimits(values: Values): SessionLimits {
  const idleMs = numberOf(values, 'session-idle', { otherwise: 300 }) * 1000;
  return {
    maxOpen: numberOf(values, 'max-sessions', { otherwise: 10_000 }),
    idleMs,
    idleInTurnMs: Math.max(idleMs, IDLE_IN_TURN_MS),
    settleMs: numberOf(values, 'settle', { otherwise: 12 }) * 1000,
  };
}

/** Beside others of this machine: each has a port of its own. */
function defaultSpool(env: Environment, port: number): string {
  const state = nonEmpty(env['XDG_STATE_HOME']) ?? join(nonEmpty(env['HOME']) ?? homedir(), '.local', 'state');
  return join(state, 'spanprism', `collect-${port}`);
}

function isLoopbackAddress(host: string): boolean {
  if (host === 'localhost') return true;
  return isIP(host) === 4 ? host.startsWith('127.') : host === '::1';
}

function text(values: Values, name: string): string | undefined {
  const value = values[name];
  if (typeof value !== 'string') return undefined;
  if (value !== '') return value;
  throw new CommandError({ what: `collect: --${name} is empty`, fix: 'give it a value, or leave it out' });
}

const nonEmpty = (value: string | undefined): string | undefined => (value === '' ? undefined : value);

function numberOf(
  values: Values,
  name: string,
  { otherwise, least = 1, most = 1_000_000 }: { otherwise: number; least?: number; most?: number },
): number {
  const given = text(values, name);
  if (given === undefined) return otherwise;
  const number = Number(given);
  if (Number.isInteger(number) && number >= least && number <= most) return number;
  throw new CommandError({
    what: `collect: --${name} ${given} cannot be`,
    fix: `give a whole number from ${least} to ${most}`,
  });
}

function syncPolicy(given: string | undefined): SyncPolicy {
  if (given === undefined || given === 'second') return 'second';
  if (given === 'always') return 'always';
  throw new CommandError({ what: `collect: --fsync ${given} is no policy`, fix: 'use second or always' });
}

function tlsFiles(cert: string | undefined, key: string | undefined, now: Date): TlsFiles | undefined {
  if (cert === undefined && key === undefined) return undefined;
  if (cert === undefined || key === undefined) {
    const [given, missing] = cert === undefined ? ['key', 'cert'] : ['cert', 'key'];
    throw new CommandError({
      what: `collect: --tls-${given} is given without --tls-${missing}`,
      fix: 'TLS needs both, or neither',
    });
  }
  return usable({ cert: readPem('tls-cert', cert), key: readPem('tls-key', key) }, now);
}

function readPem(option: string, path: string): string {
  try {
    return readFileSync(path, 'utf8');
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    const why = code === 'ENOENT' ? 'is not there' : `cannot be read (${code})`;
    throw new CommandError({ what: `collect: --${option} ${path} ${why}`, fix: 'give the path of a PEM file' });
  }
}

/** What no client could connect to is told now, not to each of them. */
function usable(tls: TlsFiles, now: Date): TlsFiles {
  try {
    createSecureContext(tls);
  } catch (error) {
    const { reason = String(error) } = error as { readonly reason?: string };
    throw new CommandError({
      what: `collect: --tls-cert and --tls-key cannot be used (${reason})`,
      fix: 'give a certificate and the private key that belongs to it, both in PEM and without a passphrase',
    });
  }
  const { validTo, validToDate } = new X509Certificate(tls.cert);
  if (validToDate > now) return tls;
  throw new CommandError({ what: `collect: the certificate of --tls-cert has expired (${validTo})`, fix: 'renew it' });
}
