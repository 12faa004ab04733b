import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Client, credentials, Metadata, type ServiceError } from '@grpc/grpc-js';
import { memorySink, type Sink } from '@spanprism/core';
import { openRecording } from '@spanprism/testkit';
import { type RunningCollector, startCollector } from '../collector.ts';
import type { Patience } from '../doors/connections.ts';
import { forwardTargets } from '../forward-targets.ts';
import { collectSettings } from '../settings.ts';

const open: RunningCollector[] = [];
const folders: string[] = [];

/** After each test. */
export async function endStarted(): Promise<void> {
  for (const collector of open.splice(0)) await collector.close(5_000);
  for (const folder of folders.splice(0)) await rm(folder, { recursive: true, force: true });
}

export interface Setup {
  readonly args?: Readonly<Record<string, string>>;
  readonly sink?: Sink;
  readonly endpoint?: string;
  readonly now?: () => Date;
  readonly patience?: Patience;
}

export interface Started {
  readonly collector: RunningCollector;
  readonly folder: string;
  readonly url: string;
  readonly post: (path: string, body: string | Uint8Array, extra?: Record<string, string>) => Promise<Response>;
  /** The lines of `/metrics` that say anything, but for those of the process. */
  readonly counted: () => Promise<readonly string[]>;
}

/** A collector in this process, on free ports of loopback. */
export async function started(setup: Setup = {}): Promise<Started> {
  const { args = {}, sink = memorySink({ capture: 'full' }), endpoint, now = () => new Date(), patience } = setup;
  const folder = await mkdtemp(join(tmpdir(), 'spanprism-collector-'));
  folders.push(folder);
  const values = { port: '0', 'grpc-port': '0', spool: join(folder, 'spool'), settle: '1', ...args };
  const collector = await startCollector({
    settings: collectSettings(values, {}, now()),
    sinks: [sink],
    targets: forwardTargets({}, endpoint),
    diag: () => undefined,
    now,
    ...(patience === undefined ? {} : { patience }),
  });
  open.push(collector);
  const url = `http://127.0.0.1:${collector.httpPort}`;
  const headers = args['token'] === undefined ? {} : { authorization: `Bearer ${args['token']}` };
  return {
    collector,
    folder,
    url,
    post: (path: string, body: string | Uint8Array, extra: Record<string, string> = {}) =>
      fetch(url + path, {
        method: 'POST',
        body: body as never,
        headers: { 'content-type': JSON_TYPE, ...headers, ...extra },
      }),
    /** The lines of `/metrics` that say anything, but for those of the process. */
    counted: async () => {
      const lines = (await (await fetch(`${url}/metrics`, { headers })).text()).split('\n');
      return lines.filter(
        (line) => line.startsWith('spanprism') && !line.endsWith(' 0') && !line.includes('spool_max'),
      );
    },
  };
}

export const JSON_TYPE = 'application/json';
/** What a recorded run has exported first. */
export const VALID: string = JSON.stringify(openRecording('bash-call').telemetry.traces[0]?.payload);

export function overGrpc({ grpcPort }: RunningCollector, body: Buffer, authorization?: string): Promise<ServiceError | null> {
  const client = new Client(`127.0.0.1:${grpcPort}`, credentials.createInsecure());
  const metadata = new Metadata();
  if (authorization !== undefined) metadata.set('authorization', authorization);
  const path = '/opentelemetry.proto.collector.trace.v1.TraceService/Export';
  const asItIs = (bytes: Buffer): Buffer => bytes;
  return new Promise((resolve) => {
    client.makeUnaryRequest(path, asItIs, asItIs, body, metadata, {}, (error) => {
      client.close();
      resolve(error);
    });
  });
}

