import { Assembler } from '../../../core/src/assemble/assembler.ts';
import { ExchangeReader } from '../../../core/src/loopback/wire/exchange-reader.ts';
import type { ExchangeEnd, PassedExchange } from '../../../core/src/loopback/wire/wire-protocol.ts';
import { randomIds } from '../../../core/src/model/ids.ts';
import type { Observation } from '../../../core/src/model/observation.ts';
import { unixNanoFromMs } from '../../../core/src/model/time.ts';
import { TurnsOfWire } from '../../../core/src/sources/wire/turns.ts';
import { WireSource } from '../../../core/src/sources/wire/wire-source.ts';
import type { RecordedEnd, RecordedExchange } from '../recordings/recorded-wire.ts';
import { isMessagesCall } from '../recordings/recorded-wire.ts';
import type { Recording } from '../recordings/recording.ts';
import { play, type Played, type Told } from './replay.ts';
import { queryWindows, scriptsOf, type SourceSet, type Step } from './script.ts';

/** Plays what passed on the wire, and nothing else; one entry per query. */
export function replayWire(recording: Recording): readonly Played[] {
  const { epochMs } = recording.meta;
  return queryWindows(recording).map((window) =>
    playWire(callsIn(recording, window).map((call, number) => passedOf(call, { number, epochMs }))),
  );
}

/** Plays a recording through some of its sources and the wire beside them; one entry per query. */
export function replayWithWire(recording: Recording, sources: SourceSet): readonly Played[] {
  const windows = queryWindows(recording);
  return scriptsOf(recording, sources).map((script, index) => {
    const { from, to } = windows[index] ?? { from: 0, to: 0 };
    const reader = new ExchangeReader();
    const steps = callsIn(recording, { from, to }).map((call, number): Step => {
      const exchange = reader.read(passedOf(call, { number, epochMs: recording.meta.epochMs }));
      return { atMs: endOf(call), stream: 'wire', what: { type: 'exchange', exchange } };
    });
    return play({ ...script, steps: [...script.steps, ...steps].toSorted((a, b) => a.atMs - b.atMs) });
  });
}

function callsIn(
  recording: Recording,
  { from, to }: { readonly from: number; readonly to: number },
): RecordedExchange[] {
  const calls = recording.wire.filter(isMessagesCall).filter((call) => call.atMs > from && call.atMs <= to);
  return calls.toSorted((a, b) => endOf(a) - endOf(b));
}

/** One process's exchanges, in the order of their ends. */
export function playWire(exchanges: readonly PassedExchange[]): Played {
  const told: Told[] = [];
  let nowMs = exchanges[0]?.startedAt ?? 0;
  const assembler = new Assembler({
    output: {
      start: (span) => void told.push({ type: 'start', span }),
      end: (span) => void told.push({ type: 'end', span }),
      turnEnd: (rootSpanId) => void told.push({ type: 'turn-end', rootSpanId }),
    },
    ids: randomIds(),
    clock: { now: () => unixNanoFromMs(nowMs) },
    expects: { sdk: true, cli: false },
    agentName: 'main',
    attributes: {},
    settleMs: 2_000,
    isResumed: false,
  });
  const reader = new ExchangeReader();
  const observe = (observation: Observation): void => assembler.observe(observation);
  const turns = new TurnsOfWire(observe);
  const source = new WireSource({ observe, onPassed: (exchange, passed) => turns.take(exchange, passed) });
  for (const exchange of exchanges) {
    nowMs = exchange.endedAt;
    source.receive(reader.read(exchange));
  }
  turns.end();
  const at = unixNanoFromMs(nowMs);
  assembler.observe({ type: 'query-end', id: 'end', source: 'wire', at, by: 'process-gone' });
  assembler.end();
  const { counters, openAgents, held } = assembler;
  return {
    told,
    spans: told.flatMap((event) => (event.type === 'end' ? [event.span] : [])),
    counters,
    openAgents,
    held,
  };
}

const ENDS: Readonly<Record<RecordedEnd, ExchangeEnd>> = {
  complete: 'complete',
  error: 'complete',
  cut: 'cut',
  hang: 'left',
  clientClosed: 'left',
  none: 'left',
};

function endOf({ endedAtMs, events, atMs }: RecordedExchange): number {
  return endedAtMs ?? events.at(-1)?.atMs ?? atMs;
}

function passedOf(
  call: RecordedExchange,
  place: { readonly number: number; readonly epochMs: number },
): PassedExchange {
  const { epochMs, number } = place;
  const { status, requestId, sessionId, agentId, events, responseBody } = call;
  const text =
    responseBody === undefined
      ? events.map(({ event, data }) => `event: ${event}\ndata: ${JSON.stringify(data)}\n\n`).join('')
      : JSON.stringify(responseBody);
  const firstMs = events[0]?.atMs ?? call.endedAtMs;
  return {
    token: 'recorded',
    number,
    request: {
      ...(sessionId === undefined ? {} : { sessionId }),
      ...(agentId === undefined ? {} : { agentId }),
      body: Buffer.from(JSON.stringify(call.body)),
      isComplete: true,
    },
    ...(status === undefined
      ? {}
      : {
          answer: {
            status,
            ...(requestId === undefined ? {} : { requestId }),
            contentType: responseBody === undefined ? 'text/event-stream' : 'application/json',
            body: Buffer.from(text),
            ...(firstMs === undefined ? {} : { firstByteAt: epochMs + firstMs }),
          },
        }),
    end: ENDS[call.end],
    startedAt: epochMs + call.atMs,
    endedAt: epochMs + endOf(call),
    wasThinned: false,
  };
}
