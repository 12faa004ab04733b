import { expect, test } from 'vitest';
import type { Observation } from '../../model/observation.ts';
import type { OtlpLog, OtlpRequest, OtlpSpan } from '../../otlp/records.ts';
import { CliTelemetrySource } from './cli-telemetry.ts';

const PLACE = { resource: {}, scope: { name: 'com.anthropic.claude_code' } };
const FIRST = 'aaaaaaaaaaaaaaaa';
const SECOND = 'bbbbbbbbbbbbbbbb';

/** Each process counts its prompts and its events from the beginning. */
function prompt(spanId: string, at: bigint): OtlpRequest {
  const record: OtlpLog = {
    at,
    spanId,
    attributes: { 'event.name': 'user_prompt', 'event.sequence': 1, prompt: spanId },
  };
  return { signal: 'logs', groups: [{ ...PLACE, records: [record] }] };
}

function interaction(spanId: string, endedAt: bigint): OtlpRequest {
  const record: OtlpSpan = {
    traceId: '0af7651916cd43dd8448eb211c80319c',
    spanId,
    name: 'claude_code.interaction',
    kind: 1,
    startedAt: 0n,
    endedAt,
    attributes: { 'interaction.sequence': 1 },
    events: [],
    links: [],
    status: { code: 0 },
  };
  return { signal: 'traces', groups: [{ ...PLACE, records: [record] }] };
}

const EXPORTS: Readonly<Record<string, readonly OtlpRequest[]>> = {
  'logs first': [prompt(FIRST, 1n), interaction(FIRST, 2n), prompt(SECOND, 3n), interaction(SECOND, 4n)],
  'spans first': [interaction(FIRST, 2n), prompt(FIRST, 1n), interaction(SECOND, 4n), prompt(SECOND, 3n)],
  'each export twice': [
    ...[prompt(FIRST, 1n), prompt(FIRST, 1n), interaction(FIRST, 2n)],
    ...[interaction(SECOND, 4n), prompt(SECOND, 3n), interaction(SECOND, 4n), prompt(SECOND, 3n)],
  ],
};

test.each(Object.entries(EXPORTS))(
  'a session that a second process resumes has the turns of both: %s',
  (_, exports) => {
    const turns: Record<string, Set<string>> = {};
    const steers: unknown[] = [];
    const observe = (seen: Observation): void => {
      if (seen.type !== 'turn-start' && seen.type !== 'turn-measured') return;
      (turns[`${seen.turn} ${seen.cliSpanId}`] ??= new Set()).add(seen.type);
    };
    const source = new CliTelemetrySource({
      observe,
      askedParty: 'user',
      hasStream: false,
      showHooks: false,
      onSteer: (steer) => steers.push(steer),
    });
    for (const request of exports) source.receive(request);
    const both = new Set(['turn-start', 'turn-measured']);
    expect(turns).toEqual({ [`0 ${FIRST}`]: both, [`1 ${SECOND}`]: both });
    expect(steers).toEqual([]);
  },
);
