import type { SinkStats } from '@spanprism/core';
import type { Counters } from './counters.ts';
import type { ForwarderStats } from './forwarder.ts';

/** What is so at the moment, beside what was counted. */
export interface Gauges {
  readonly openSessions: number;
  readonly openedSessions: number;
  readonly spoolBytes: number;
  readonly spoolMaxBytes: number;
  readonly residentBytes: number;
  readonly startedAt: Date;
  readonly sinks: Readonly<Record<string, SinkStats>>;
  readonly forwarder: ForwarderStats;
  /** Observations that could not be used, by reason. */
  readonly unused: Readonly<Record<string, number>>;
}

type Labels = Readonly<Record<string, string>>;
type Sample = readonly [Labels, number];

interface Family {
  readonly name: string;
  readonly type: 'counter' | 'gauge';
  readonly help: string;
  readonly samples: readonly Sample[];
}

/** The Prometheus text format, version 0.0.4. */
export function prometheusText(counters: Counters, gauges: Gauges): string {
  const families = [...received(counters), ...delivery(gauges), ...state(gauges, counters)];
  return families
    .filter(({ samples }) => samples.length > 0)
    .map(
      ({ name, type, help, samples }) =>
        `# HELP ${name} ${help}\n# TYPE ${name} ${type}\n${samples.map((sample) => line(name, sample)).join('')}`,
    )
    .join('');
}

function line(name: string, [labels, value]: Sample): string {
  const pairs = Object.entries(labels).map(([key, text]) => `${key}="${escaped(text)}"`);
  return `${name}${pairs.length === 0 ? '' : `{${pairs.join(',')}}`} ${value}\n`;
}

function escaped(text: string): string {
  return text.replaceAll('\\', '\\\\').replaceAll('"', '\\"').replaceAll('\n', '\\n');
}

function counter(name: string, help: string, samples: readonly Sample[]): Family {
  return { name: `spanprism_collect_${name}_total`, type: 'counter', help, samples };
}

function gauge(name: string, help: string, samples: readonly Sample[] | number): Family {
  return {
    name: `spanprism_collect_${name}`,
    type: 'gauge',
    help,
    samples: typeof samples === 'number' ? [[{}, samples]] : samples,
  };
}

function received(counters: Counters): readonly Family[] {
  const bySignal = ({ key: [signal], count }: { key: readonly [string]; count: number }): Sample => [{ signal }, count];
  return [
    counter(
      'requests',
      'Requests taken.',
      [...counters.requests.entries].map(({ key: [signal, transport], count }) => [{ signal, transport }, count]),
    ),
    counter('records', 'Spans, log records and metrics taken.', [...counters.records.entries].map(bySignal)),
    counter('received_bytes', 'Bytes of bodies taken, unpacked.', [...counters.bytes.entries].map(bySignal)),
    counter(
      'rejected',
      'Requests refused, by reason.',
      [...counters.rejected.entries].map(({ key: [reason], count }) => [{ reason }, count]),
    ),
    counter('forwarded', 'Requests handed on as they came.', [...counters.forwarded.entries].map(bySignal)),
    counter(
      'dropped',
      'Records taken that go nowhere, by reason.',
      [...counters.dropped.entries].map(({ key: [signal, reason], count }) => [{ signal, reason }, count]),
    ),
  ];
}

function delivery({ sinks, forwarder, unused }: Gauges): readonly Family[] {
  const all = Object.entries(sinks);
  const dropped = (labels: Labels, reasons: Readonly<Record<string, number>>): Sample[] =>
    Object.entries(reasons).map(([reason, count]) => [{ ...labels, reason }, count]);
  return [
    counter(
      'sink_delivered_spans',
      'Spans that a sink has delivered.',
      all.map(([sink, { delivered }]) => [{ sink }, delivered]),
    ),
    gauge(
      'sink_queued_spans',
      'Spans that wait in a sink.',
      all.map(([sink, { queued }]) => [{ sink }, queued]),
    ),
    counter(
      'sink_dropped_spans',
      'Spans that a sink has given up.',
      all.flatMap(([sink, stats]) => dropped({ sink }, stats.dropped)),
    ),
    counter('forward_delivered', 'Handed-on requests that their endpoint took.', [[{}, forwarder.delivered]]),
    gauge('forward_queued', 'Handed-on requests that wait for their endpoint.', forwarder.queued),
    counter('forward_dropped', 'Handed-on requests that their endpoint refused.', dropped({}, forwarder.dropped)),
    counter('unused_observations', 'Observations without use, by reason.', dropped({}, unused)),
  ];
}

function state(gauges: Gauges, counters: Counters): readonly Family[] {
  return [
    gauge('sessions_open', 'Sessions that are being traced.', gauges.openSessions),
    counter('sessions', 'Sessions begun.', [[{}, gauges.openedSessions]]),
    gauge('spool_bytes', 'Bytes on disk that somebody still needs.', gauges.spoolBytes),
    gauge('spool_max_bytes', 'Most bytes that may be on disk.', gauges.spoolMaxBytes),
    counter('replayed', 'Requests of an earlier process that were read again.', [[{}, counters.replayed]]),
    {
      name: 'process_resident_memory_bytes',
      type: 'gauge',
      help: 'Resident memory size in bytes.',
      samples: [[{}, gauges.residentBytes]],
    },
    {
      name: 'process_start_time_seconds',
      type: 'gauge',
      help: 'Start time of the process since the epoch in seconds.',
      samples: [[{}, gauges.startedAt.getTime() / 1000]],
    },
  ];
}
