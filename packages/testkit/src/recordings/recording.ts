import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { dirname, join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { asArray, asNumber, asObject, asString, isObject, type JsonObject, parseJson } from '../json.ts';
import { type RecordedExchange, readExchanges } from './recorded-wire.ts';

/** All `…AtMs` of a recording share one clock; absolute time is `meta.epochMs` plus it, within 2 ms. */
export interface Recording {
  readonly name: string;
  /** Its folder. */
  readonly path: string;
  readonly meta: RecordingMeta;
  readonly messages: readonly RecordedMessage[];
  readonly hooks: readonly RecordedHook[];
  readonly telemetry: RecordedTelemetry;
  readonly wire: readonly RecordedExchange[];
  /** What the host did: `query()`, `interrupt()`, `abort()` … */
  readonly driverEvents: readonly DriverEvent[];
  /** Session files, main sessions first, then those of subagents. */
  readonly transcripts: readonly RecordedTranscript[];
}

export interface RecordingMeta {
  /** Milliseconds since 1970 at time 0 of the recording. */
  readonly epochMs: number;
  readonly sdkVersion: string;
  readonly cliVersion: string;
  /** `TRACEPARENT` of the child, if it had one. */
  readonly traceparent?: string;
  /** Changes to the environment that the recordings have in common; `(unset)` takes one away. */
  readonly environment: Readonly<Record<string, string>>;
  readonly hasHooks: boolean;
  /** Whether system prompts and tool definitions on the wire are complete. */
  readonly isWireWhole: boolean;
}

export interface RecordedMessage {
  readonly atMs: number;
  /** Which `query()`, where a recording has several. */
  readonly query?: string;
  /** The SDK message as it was yielded. */
  readonly message: JsonObject;
}

/** A call of a hook or of `canUseTool`. */
export interface RecordedHook {
  readonly atMs: number;
  readonly returnedAtMs?: number;
  readonly kind: 'hook' | 'canUseTool';
  /** Name of the hook event. */
  readonly event?: string;
  readonly toolName?: string;
  readonly toolUseId?: string;
  readonly input: JsonObject;
  /** Third argument of `canUseTool`. */
  readonly options?: JsonObject;
  readonly output?: JsonObject;
}

/** One export of the CLI. */
export interface TelemetryBatch {
  readonly atMs: number;
  readonly url: string;
  readonly headers: JsonObject;
  /** Body as OTLP/JSON; absent where the CLI sent protobuf, of which only the head was kept. */
  readonly payload?: JsonObject;
}

export interface RecordedTelemetry {
  readonly traces: readonly TelemetryBatch[];
  readonly logs: readonly TelemetryBatch[];
  readonly metrics: readonly TelemetryBatch[];
}

export interface DriverEvent {
  readonly atMs: number;
  readonly name: string;
  readonly fields: JsonObject;
}

export interface RecordedTranscript {
  readonly path: string;
  /** Of a subagent's file. */
  readonly agentId?: string;
  readonly rows: readonly JsonObject[];
}

const HERE = dirname(fileURLToPath(import.meta.url));
const VARIABLE = 'SPANPRISM_RECORDINGS';

/** Where the project's own recordings are; they are part of the repository and not of the package. */
export function ownRecordingsRoot(): string {
  return resolve(HERE, '../../recordings');
}

/** Where a larger collection is: the argument, else the environment, else beside the repository. */
export function recordingsRoot(root?: string, env: Readonly<Record<string, string | undefined>> = process.env): string {
  return resolve(root ?? env[VARIABLE] ?? join(HERE, '../../../../../shared/recordings'));
}

/** Why there is no larger collection, as a reason to skip a suite; undefined if there is one. */
export function recordingsAbsent(root?: string): string | undefined {
  const folder = recordingsRoot(root);
  if (listRecordings(folder).length > 0) return undefined;
  return `no recordings in ${folder}: set ${VARIABLE} to a folder that has some`;
}

/** Names of the recordings in this folder, or of all: the project's own and the larger collection. Empty if there are none. */
export function listRecordings(root?: string): readonly string[] {
  const names = foldersOf(root).flatMap((folder) =>
    existsSync(folder) ? readdirSync(folder).filter((name) => isRecording(join(folder, name))) : [],
  );
  return names.sort();
}

/** Reads a recording. Throws if there is none of this name. */
export function openRecording(name: string, root?: string): Recording {
  const path = foldersOf(root)
    .map((folder) => join(folder, name))
    .find(isRecording);
  if (path === undefined) throw new Error(`no recording "${name}" in ${foldersOf(root).join(' or ')}`);
  const lines = (file: string): readonly JsonObject[] => readLines(join(path, file));
  return {
    name,
    path,
    meta: readMeta(asObject(readJson(join(path, 'meta.json')))),
    messages: lines('sdk-messages.jsonl').map(readMessage),
    hooks: lines('hooks.jsonl').map(readHook),
    telemetry: {
      traces: readBatches(join(path, 'otlp-traces.json')),
      logs: readBatches(join(path, 'otlp-logs.json')),
      metrics: readBatches(join(path, 'otlp-metrics.json')),
    },
    wire: readExchanges(lines('wire.jsonl')),
    driverEvents: lines('driver-events.jsonl').map(({ t_ms, ev, ...fields }) => {
      return { atMs: asNumber(t_ms) ?? 0, name: asString(ev) ?? '', fields };
    }),
    transcripts: readTranscripts(path),
  };
}

function foldersOf(root?: string): readonly string[] {
  return root === undefined ? [ownRecordingsRoot(), recordingsRoot()] : [resolve(root)];
}

const isRecording = (path: string): boolean => existsSync(join(path, 'meta.json'));

function readMeta(meta: JsonObject): RecordingMeta {
  const traceparent = asString(meta['traceparent_in']);
  return {
    epochMs: asNumber(meta['wall_epoch_ms_at_t0']) ?? 0,
    sdkVersion: asString(meta['sdk']) ?? '',
    cliVersion: asString(meta['cli']) ?? '',
    ...(traceparent === undefined ? {} : { traceparent }),
    environment: asObject(meta['env_overrides']) as Readonly<Record<string, string>>,
    hasHooks: meta['hooks_registered'] === true,
    isWireWhole: meta['wire_kept_whole'] === true,
  };
}

function readMessage(line: JsonObject): RecordedMessage {
  const query = asString(line['query']);
  return {
    atMs: asNumber(line['t_ms']) ?? 0,
    ...(query === undefined ? {} : { query }),
    message: asObject(line['message']),
  };
}

function readHook(line: JsonObject): RecordedHook {
  const texts = {
    event: asString(line['event']),
    toolName: asString(line['toolName']),
    toolUseId: asString(line['toolUseID']),
  };
  const output = line['output'] ?? line['result'];
  const returnedAtMs = asNumber(line['returned_ms']);
  return {
    atMs: asNumber(line['t_ms']) ?? 0,
    ...(returnedAtMs === undefined ? {} : { returnedAtMs }),
    kind: line['kind'] === 'canUseTool' ? 'canUseTool' : 'hook',
    ...(Object.fromEntries(Object.entries(texts).filter(([, value]) => value !== undefined)) as Partial<
      Record<keyof typeof texts, string>
    >),
    input: asObject(line['input']),
    ...(isObject(line['opt']) ? { options: line['opt'] } : {}),
    ...(isObject(output) ? { output } : {}),
  };
}

function readBatches(file: string): readonly TelemetryBatch[] {
  if (!existsSync(file)) return [];
  return asArray(readJson(file))
    .map(asObject)
    .map((batch) => {
      const payload = asObject(batch['payload']);
      return {
        atMs: asNumber(batch['received_ms']) ?? 0,
        url: asString(batch['url']) ?? '',
        headers: asObject(batch['headers']),
        ...('_base64' in payload ? {} : { payload }),
      };
    });
}

function readTranscripts(path: string): readonly RecordedTranscript[] {
  const files = (folder: string, pattern: RegExp): readonly string[] =>
    existsSync(folder)
      ? readdirSync(folder)
          .filter((name) => pattern.test(name))
          .sort()
          .map((name) => join(folder, name))
      : [];
  const main = files(path, /^transcript(-\d+)?\.jsonl$/);
  const subagents = files(join(path, 'transcript-extra'), /__agent-[0-9a-z]+\.jsonl$/);
  return [...main, ...subagents].map((file) => {
    const agentId = /__agent-([0-9a-z]+)\.jsonl$/.exec(file)?.[1];
    return { path: file, ...(agentId === undefined ? {} : { agentId }), rows: readLines(file) };
  });
}

function readLines(file: string): readonly JsonObject[] {
  if (!existsSync(file)) return [];
  const lines = readFileSync(file, 'utf8')
    .split('\n')
    .filter((line) => line.trim() !== '');
  return lines.map((line) => asObject(parseJson(line)));
}

function readJson(file: string): unknown {
  return parseJson(readFileSync(file, 'utf8'));
}
