import { createServer } from 'node:net';
import type * as Grpc from '@grpc/grpc-js';
import type { OtlpSignal } from '@spanprism/core/otlp';
import { encodeExportResponse, Rejected } from '@spanprism/core/receive';
import type { BodyRoom } from './body-room.ts';
import { type ConnectionLimits, Connections, type Door } from './connections.ts';
import type { Desk } from './desk.ts';
import type { TlsFiles } from './door-settings.ts';
import { isForLater, REFUSALS, type RefusalReason, RETRY_AFTER_SECONDS } from './refusals.ts';

export interface GrpcParts {
  readonly desk: Desk;
  readonly onRefused: (reason: RefusalReason) => void;
  readonly bodies: BodyRoom;
  readonly maxMessageBytes: number;
  readonly connections: ConnectionLimits;
  readonly tls: TlsFiles | undefined;
  readonly isAuthorized: (authorization: string | undefined) => boolean;
  readonly onFault: (error: unknown) => void;
}

const SERVICES: Readonly<Record<OtlpSignal, string>> = {
  traces: 'opentelemetry.proto.collector.trace.v1.TraceService',
  logs: 'opentelemetry.proto.collector.logs.v1.LogsService',
  metrics: 'opentelemetry.proto.collector.metrics.v1.MetricsService',
};

/**
 * A peer that is gone, or speaks something else, does not answer a ping; one that has nothing to say for long is sent away, and comes again
 * when it has. As many calls at a time as HTTP/2 recommends.
 */
const MANNERS = {
  'grpc.keepalive_time_ms': 60_000,
  'grpc.keepalive_timeout_ms': 20_000,
  'grpc.max_connection_idle_ms': 300_000,
  'grpc.max_concurrent_streams': 100,
  // Statistics of each call, which nobody asks for.
  'grpc.enable_channelz': 0,
};

/** The OTLP/gRPC receiver. Messages are not taken apart by a gRPC library: their bytes are those of OTLP/HTTP. */
export async function createGrpcServer(parts: GrpcParts): Promise<Door> {
  const grpc = await import('@grpc/grpc-js');
  const calls = new grpc.Server({
    ...MANNERS,
    'grpc.max_receive_message_length': parts.maxMessageBytes,
    interceptors: [doorkeeper(parts, grpc)],
  });
  for (const [signal, service] of Object.entries(SERVICES) as [OtlpSignal, string][]) {
    const method = {
      path: `/${service}/Export`,
      requestStream: false,
      responseStream: false,
      requestSerialize: asItIs,
      requestDeserialize: asItIs,
      responseSerialize: asItIs,
      responseDeserialize: asItIs,
    };
    calls.addService({ Export: method }, { Export: handler(parts, signal, grpc) });
  }
  const injector = calls.createConnectionInjector(credentialsOf(grpc, parts.tls));
  // The library keeps connections that never say a word, and does not end while one of them is open.
  const server = createServer((socket) => injector.injectConnection(socket));
  const connections = new Connections(server, parts.connections);
  return {
    server,
    close: async (deadlineMs) => {
      // Asks its peers to leave when they are answered. That they have, only their connections tell.
      calls.tryShutdown(() => undefined);
      await connections.end(deadlineMs);
    },
  };
}

const asItIs = (bytes: Buffer): Buffer => bytes;

/** Asks for the token before a message is read: what came packed may be a thousand times as large. And sends away who takes too long. */
function doorkeeper({ isAuthorized, onRefused, connections }: GrpcParts, grpc: typeof Grpc): Grpc.ServerInterceptor {
  return (_method, call) => {
    const turnAway = (reason: RefusalReason): void => {
      onRefused(reason);
      const { code, message } = REFUSALS[reason];
      call.sendStatus({ code, details: message });
    };
    const overdue = setTimeout(() => turnAway('too_slow'), connections.patience.requestMs);
    const listener = new grpc.ServerListenerBuilder()
      .withOnReceiveMetadata((metadata, goOn) => {
        const authorization: Grpc.MetadataValue | undefined = metadata.get('authorization')[0];
        if (isAuthorized(authorization?.toString())) {
          goOn(metadata);
          return;
        }
        clearTimeout(overdue);
        turnAway('unauthenticated');
      })
      .withOnReceiveHalfClose((goOn) => {
        clearTimeout(overdue);
        goOn();
      })
      .withOnCancel(() => clearTimeout(overdue));
    const responder = new grpc.ResponderBuilder().withStart((goOn) => goOn(listener.build()));
    return new grpc.ServerInterceptingCall(call, responder.build());
  };
}

function credentialsOf({ ServerCredentials }: typeof Grpc, tls: TlsFiles | undefined) {
  if (tls === undefined) return ServerCredentials.createInsecure();
  return ServerCredentials.createSsl(null, [{ cert_chain: Buffer.from(tls.cert), private_key: Buffer.from(tls.key) }]);
}

function handler(parts: GrpcParts, signal: OtlpSignal, { Metadata: NewMetadata }: typeof Grpc) {
  return (call: Grpc.ServerUnaryCall<Buffer, Buffer>, answer: Grpc.sendUnaryData<Buffer>): void => {
    take(parts, signal, call).then(
      (response) => answer(null, response),
      (error: unknown) => {
        const reason: RefusalReason = error instanceof Rejected ? error.reason : 'internal';
        if (!(error instanceof Rejected)) parts.onFault(error);
        parts.onRefused(reason);
        const { code, message } = REFUSALS[reason];
        answer({ code, details: message, metadata: retryInfo(new NewMetadata(), reason) });
      },
    );
  };
}

async function take(
  { bodies, desk }: GrpcParts,
  signal: OtlpSignal,
  call: Grpc.ServerUnaryCall<Buffer, Buffer>,
): Promise<Buffer> {
  const body = call.request;
  const result = await bodies.hold(body, () => desk.take({ signal, encoding: 'protobuf', body, transport: 'grpc' }));
  return Buffer.from(encodeExportResponse(signal, 'protobuf', result));
}

const RETRY_INFO = 'type.googleapis.com/google.rpc.RetryInfo';

/** OTLP: a client tries again after RESOURCE_EXHAUSTED only when a RetryInfo in the status's details says when. */
function retryInfo(metadata: Grpc.Metadata, reason: RefusalReason): Grpc.Metadata {
  if (!isForLater(reason)) return metadata;
  const { code, message } = REFUSALS[reason];
  const delay = field(1, Buffer.from([0x08, RETRY_AFTER_SECONDS]));
  const any = Buffer.concat([field(1, Buffer.from(RETRY_INFO)), field(2, delay)]);
  const status = Buffer.concat([Buffer.from([0x08, code]), field(2, Buffer.from(message)), field(3, any)]);
  metadata.set('grpc-status-details-bin', status);
  return metadata;
}

/** A protobuf field with a length, below 128 bytes. */
function field(number: number, content: Buffer): Buffer {
  return Buffer.concat([Buffer.from([number * 8 + 2, content.length]), content]);
}
