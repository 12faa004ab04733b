import type { OptionTable } from '../command.ts';
import { sinkOptions } from '../sinks/options.ts';

export const collectOptions: OptionTable = {
  host: {
    type: 'string',
    value: 'address',
    description: 'Listen at this address; default 127.0.0.1. Others than loopback need a token',
  },
  port: { type: 'string', value: 'number', description: 'Port of OTLP/HTTP, health and metrics; default 4318' },
  'grpc-port': { type: 'string', value: 'number', description: 'Port of OTLP/gRPC, or off; default 4317' },
  token: {
    type: 'string',
    value: 'secret',
    description:
      'Who sends must have this bearer token. SPANPRISM_COLLECT_TOKEN shows it to nobody who lists processes',
  },
  'tls-cert': { type: 'string', value: 'file', description: 'Certificate chain in PEM: TLS on both ports' },
  'tls-key': { type: 'string', value: 'file', description: 'Its private key in PEM' },
  ...Object.fromEntries(Object.entries(sinkOptions).filter(([name]) => name !== 'trace-console')),
  spool: {
    type: 'string',
    value: 'folder',
    description: 'Where requests are kept until they are delivered; default below ~/.local/state/spanprism',
  },
  'spool-mb': {
    type: 'string',
    value: 'number',
    description: 'Most megabytes in it; more is answered 429. Default 1024',
  },
  fsync: {
    type: 'string',
    value: 'policy',
    description:
      'second: a request is answered when the system has it, and the disk has it within a second. always: when the disk has it. Default second',
  },
  'max-request-mb': { type: 'string', value: 'number', description: 'Largest body, unpacked; default 64' },
  'max-sessions': { type: 'string', value: 'number', description: 'Most sessions traced at a time; default 10000' },
  'session-idle': {
    type: 'string',
    value: 'seconds',
    description: 'A session that is silent for so long between turns has ended; default 300',
  },
  settle: {
    type: 'string',
    value: 'seconds',
    description:
      'What has ended waits so long for the rest of its telemetry; longer than the export intervals. Default 12',
  },
};
