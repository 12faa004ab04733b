import type { Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { Diag } from '@spanprism/core';
import { CommandError } from '../command.ts';
import { bearerCheck } from './bearer.ts';
import { type GrpcParts, type GrpcReceiver, startGrpc } from './grpc-server.ts';
import { createHttpServer, type HttpParts } from './http-server.ts';
import type { CollectSettings } from './settings.ts';

/** The ports that requests come in by. */
export interface Doors {
  readonly httpPort: number;
  readonly grpcPort: number | undefined;
  /** Lets nobody in any more and waits for answers that are under way; after the deadline they are cut. */
  close(deadlineMs: number): Promise<void>;
}

export type DoorParts = Pick<HttpParts, 'intake' | 'counters' | 'metricsText'>;

/** Listens. Rejects with a `CommandError` that names the address that cannot be had. */
export async function openDoors(parts: DoorParts, settings: CollectSettings, diag: Diag): Promise<Doors> {
  const { host, tls, token, maxRequestBytes } = settings;
  const shared = {
    ...parts,
    tls,
    isAuthorized: bearerCheck(token),
    onFault: (error: unknown): void => diag('error', `collect: ${textOf(error)}`),
  };
  const http = createHttpServer({
    ...shared,
    limits: { maxSentBytes: maxRequestBytes, maxUnpackedBytes: maxRequestBytes },
    isLoopbackOnly: settings.isLoopback && token === undefined,
  });
  await listening(http, settings);
  try {
    const grpc = await grpcAt(host, settings.grpcPort, { ...shared, maxMessageBytes: maxRequestBytes });
    return {
      httpPort: (http.address() as AddressInfo).port,
      grpcPort: grpc?.port,
      close: async (deadlineMs) => void (await Promise.all([closed(http, deadlineMs), grpc?.close(deadlineMs)])),
    };
  } catch (error) {
    http.close();
    throw error;
  }
}

async function grpcAt(host: string, port: number | undefined, parts: GrpcParts): Promise<GrpcReceiver | undefined> {
  if (port === undefined) return undefined;
  const address = `${host.includes(':') ? `[${host}]` : host}:${port}`;
  try {
    return await startGrpc(parts, address);
  } catch (error) {
    throw new CommandError({
      what: `collect: cannot listen for gRPC at ${address} (${textOf(error)})`,
      fix: 'choose another port with --grpc-port, or none with --grpc-port off',
      exitCode: 1,
    });
  }
}

function listening(server: Server, { host, port }: CollectSettings): Promise<void> {
  return new Promise((resolve, reject) => {
    server.once('error', (error: NodeJS.ErrnoException) => {
      const what = `collect: cannot listen at ${host}:${port} (${error.code ?? error.message})`;
      const fix = 'choose another port with --port, or end what listens there';
      reject(new CommandError({ what, fix, exitCode: 1 }));
    });
    server.listen(port, host, () => resolve());
  });
}

function closed(server: Server, deadlineMs: number): Promise<void> {
  return new Promise((resolve) => {
    const cut = setTimeout(() => server.closeAllConnections(), deadlineMs);
    server.close(() => {
      clearTimeout(cut);
      resolve();
    });
    server.closeIdleConnections();
  });
}

function textOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
