import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { asObject } from '../json.ts';
import { summarizeWire } from './recorded-wire.ts';
import { listRecordings, openRecording, ownRecordingsRoot, recordingsAbsent, recordingsRoot } from './recording.ts';

test('a missing folder is a reason to skip that names the folder and the variable', () => {
  expect(recordingsAbsent('/no/such/folder')).toBe(
    'no recordings in /no/such/folder: set SPANPRISM_RECORDINGS to a folder that has some',
  );
  expect(listRecordings('/no/such/folder')).toEqual([]);
  expect(() => openRecording('one-tool', '/no/such/folder')).toThrow('no recording "one-tool" in /no/such/folder');
});

test('the argument goes before the environment', () => {
  expect(recordingsRoot(undefined, { SPANPRISM_RECORDINGS: '/from/env' })).toBe('/from/env');
  expect(recordingsRoot('/given', { SPANPRISM_RECORDINGS: '/from/env' })).toBe('/given');
});

const absent = recordingsAbsent();
/** The stories that our own scripts tell. */
const OWN_WORDS = /^"(once upon a time |a long reply )+"$/;

/** Per recording: calls answered with 2xx, calls asked, input and output tokens of the final figures. Taken from the reference table. */
type WireFigures = readonly [answered: number, asked: number, input: number, output: number];

describe('every recording', () => {
  test.each(listRecordings())('%s is read completely', (name) => {
    const recording = openRecording(name);
    const { messages, hooks, telemetry, wire, driverEvents, transcripts } = recording;
    expect(recording.meta).toMatchObject({ sdkVersion: '0.3.329', cliVersion: '2.1.329' });
    expect(recording.meta.epochMs).toBeGreaterThan(0);
    expect(driverEvents.map((event) => event.name)).not.toContain('');
    expect(messages.filter(({ message }) => typeof message['type'] !== 'string')).toEqual([]);
    expect(hooks.filter((hook) => hook.event === undefined && hook.toolName === undefined)).toEqual([]);
    expect(wire.filter((exchange) => exchange.method === '' || exchange.end === 'none')).toEqual([]);
    expect(transcripts.flatMap(({ rows }) => rows).filter((row) => Object.keys(row).length === 0)).toEqual([]);
    for (const batch of [...telemetry.traces, ...telemetry.logs, ...telemetry.metrics]) {
      const isJson = batch.headers['content-type'] === 'application/json';
      expect(batch.payload === undefined).toBe(!isJson);
    }
  });
});

describe('every recording of our own', () => {
  const own = listRecordings(ownRecordingsRoot());

  test.each(own)('%s says nothing at length that its script did not say', (name) => {
    const folder = join(ownRecordingsRoot(), name);
    const text = readdirSync(folder, { recursive: true, withFileTypes: true })
      .filter((entry) => entry.isFile())
      .map((entry) => readFileSync(join(entry.parentPath, entry.name), 'utf8'))
      .join('');
    const words = text.match(/"(?:[^"\\]|\\.)*"/g) ?? [];
    const long = words.filter((word) => word.length > 102 && word.includes(' ') && !OWN_WORDS.test(word));
    expect(long).toEqual([]);
    expect(text.match(/[^"]*\/(tmp|home|root|work|Users)\/[^"]*/g)).toBeNull();
  });
});

describe.skipIf(absent !== undefined)(absent ?? 'every recording of the larger collection', () => {
  const figures = asObject(
    JSON.parse(readFileSync(new URL('__fixtures__/wire-figures.json', import.meta.url), 'utf8')),
  );

  test.each(listRecordings(recordingsRoot()))('%s has the calls and tokens of the reference table on its wire', (name) => {
    const { answered, asked, inputTokens, outputTokens } = summarizeWire(openRecording(name).wire);
    const expected = figures[name] as WireFigures | undefined;
    expect([answered, asked, inputTokens, outputTokens]).toEqual(expected);
  });

  test('the broken call of mid-stream-error has start figures and no final ones', () => {
    const calls = openRecording('mid-stream-error').wire;
    expect(
      calls.map((call) => [call.requestId, call.end, call.startUsage?.output_tokens, call.usage?.output_tokens]),
    ).toEqual([
      ['req_midstreamerror_001', 'error', 1, undefined],
      ['req_midstreamerror_002', 'complete', 9, 9],
    ]);
  });

  test('a subagent has its own transcript and its id on the wire', () => {
    const { wire, transcripts } = openRecording('subagent-one');
    expect(wire.map((call) => call.agentId)).toEqual([undefined, 'abe18e7bcb634cdc7', 'abe18e7bcb634cdc7', undefined]);
    expect(transcripts.map((transcript) => transcript.agentId)).toEqual([undefined, 'abe18e7bcb634cdc7']);
  });

  test('ends are told apart', () => {
    const ends = (name: string) => openRecording(name).wire.map((call) => call.end);
    expect(ends('interrupt-mid-text')).toEqual(['clientClosed', 'complete']);
    expect(ends('mid-stream-drop')).toEqual(['cut', 'complete']);
    expect(ends('tool-then-hang')).toEqual(['complete', 'hang']);
    expect(ends('retry-429')).toEqual(['error', 'error', 'complete']);
  });
});
