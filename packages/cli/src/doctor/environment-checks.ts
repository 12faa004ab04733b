import { parseTraceparent } from '@spanprism/core';
import { checkHeader, type Environment, readFlag, readPairs, readText } from '@spanprism/core/otlp';
import type { Finding } from './finding.ts';

const SIGNALS = ['TRACES', 'METRICS', 'LOGS'] as const;

/** What is wrong with OpenTelemetry's variables before anything is sent. A variable is named once, with its first fault. */
export function environmentFindings(env: Environment): readonly Finding[] {
  return [
    ...protocols(env),
    ...headers(env),
    ...endpoints(env),
    ...exporters(env),
    ...samplers(env),
    ...parents(env),
    ...switches(env),
  ];
}

/** The general variable, and those of the signals. */
function namesOf(what: string): readonly string[] {
  return [`OTEL_EXPORTER_OTLP_${what}`, ...SIGNALS.map((signal) => `OTEL_EXPORTER_OTLP_${signal}_${what}`)];
}

/** gRPC is understood, and answered with HTTP; Claude Code speaks it itself. */
const PROTOCOLS: ReadonlySet<string> = new Set(['http/protobuf', 'http/json', 'grpc']);

function protocols(env: Environment): readonly Finding[] {
  return namesOf('PROTOCOL').flatMap((name) => {
    const word = readText(env, name)?.value;
    if (word === undefined || PROTOCOLS.has(word.toLowerCase())) return [];
    return [
      {
        code: 'wrong_protocol',
        what: `"${shown(word)}" is no protocol of OTLP`,
        where: `env ${name}`,
        fix: 'Set it to http/protobuf or http/json.',
      },
    ];
  });
}

function headers(env: Environment): readonly Finding[] {
  return namesOf('HEADERS').flatMap((name) => {
    try {
      for (const [key, value] of Object.entries(readPairs(env, name))) checkHeader(key, { value, from: `env ${name}` });
      return [];
    } catch (error) {
      return [{ code: 'headers_malformed', where: `env ${name}`, ...partsOf(error, `env ${name}`) }];
    }
  });
}

/** What core says of a value reads `what (from where). fix`. */
function partsOf(error: unknown, from: string): { readonly what: string; readonly fix: string } {
  const message = error instanceof Error ? error.message : String(error);
  const [what = message, fix = ''] = message.split(` (from ${from}). `);
  return { what, fix };
}

function endpoints(env: Environment): readonly Finding[] {
  const base = pathOf(env, 'OTEL_EXPORTER_OTLP_ENDPOINT');
  const twice = /\/v1\/(?:traces|metrics|logs)\/?$/.exec(base ?? '')?.[0];
  const full = pathOf(env, 'OTEL_EXPORTER_OTLP_TRACES_ENDPOINT');
  const isGrpc = readText(env, 'OTEL_EXPORTER_OTLP_TRACES_PROTOCOL', 'OTEL_EXPORTER_OTLP_PROTOCOL')?.value === 'grpc';
  return [
    ...(twice === undefined
      ? []
      : [
          {
            code: 'configuration',
            what: `the endpoint ends in ${twice}, and would get it twice`,
            where: 'env OTEL_EXPORTER_OTLP_ENDPOINT',
            fix: 'Leave the path of the signal out: it is appended. OTEL_EXPORTER_OTLP_TRACES_ENDPOINT takes a full URL.',
          } as const,
        ]),
    ...(full === '/' && !isGrpc
      ? [missingPath('env OTEL_EXPORTER_OTLP_TRACES_ENDPOINT', 'the endpoint for traces')]
      : []),
  ];
}

/** A full URL without the path on which traces are taken. */
export function missingPath(where: string, what: string): Finding {
  return {
    code: 'missing_v1_traces',
    what: `${what} has no /v1/traces at its end`,
    where,
    fix: 'This variable is used as it is: append /v1/traces, or set OTEL_EXPORTER_OTLP_ENDPOINT to the base.',
  };
}

function pathOf(env: Environment, name: string): string | undefined {
  const text = readText(env, name)?.value;
  return text !== undefined && URL.canParse(text) ? new URL(text).pathname : undefined;
}

function exporters(env: Environment): readonly Finding[] {
  return SIGNALS.flatMap((signal) => {
    const name = `OTEL_${signal}_EXPORTER`;
    if (readText(env, name)?.value.toLowerCase() !== 'none') return [];
    const what = `no ${signal.toLowerCase()} are sent: the exporter is "none"`;
    return [{ code: 'exporter_none', what, where: `env ${name}`, fix: `Unset it, or set it to otlp.` }];
  });
}

function samplers(env: Environment): readonly Finding[] {
  const sampler = readText(env, 'OTEL_TRACES_SAMPLER')?.value.toLowerCase() ?? '';
  const ratio = readText(env, 'OTEL_TRACES_SAMPLER_ARG')?.value;
  const isNothing = sampler.endsWith('traceidratio') && ratio !== undefined && Number(ratio) === 0;
  const found: Finding[] = [];
  if (sampler.endsWith('always_off') || isNothing) {
    const words = isNothing ? `${sampler} with 0` : sampler;
    const fix = 'Unset it, or set it to parentbased_always_on.';
    found.push({
      code: 'sampler_off',
      what: `the sampler keeps no trace: ${words}`,
      where: 'env OTEL_TRACES_SAMPLER',
      fix,
    });
  }
  for (const name of ['LOGFIRE_TRACE_SAMPLE_RATE', 'LANGFUSE_SAMPLE_RATE', 'SENTRY_TRACES_SAMPLE_RATE']) {
    const rate = readText(env, name)?.value;
    if (rate === undefined || Number(rate) !== 0) continue;
    const fix = 'Unset it, or give the share of traces to keep, up to 1.';
    found.push({ code: 'sampler_off', what: 'the sampler keeps no trace: its share is 0', where: `env ${name}`, fix });
  }
  return found;
}

function parents(env: Environment): readonly Finding[] {
  const text = readText(env, 'TRACEPARENT');
  if (text === undefined) return [];
  const where = 'env TRACEPARENT';
  const parent = parseTraceparent(text.value);
  if (parent === undefined) {
    const fix = 'Unset it, or set it to a W3C traceparent: 00-<32 hex digits>-<16 hex digits>-01.';
    return [{ code: 'traceparent_malformed', what: 'it names no trace, and is ignored', where, fix }];
  }
  if (parent.sampled) return [];
  const what = 'the trace to continue is not sampled (flags 00): backends leave what is below it out';
  return [
    { code: 'unsampled_parent', what, where, fix: 'Unset it, or have whoever sets it sample: flags 01 at its end.' },
  ];
}

function switches(env: Environment): readonly Finding[] {
  if (!readFlag(env, 'OTEL_SDK_DISABLED')) return [];
  const fix = 'Unset it.';
  return [{ code: 'sdk_disabled', what: 'nothing is sent', where: 'env OTEL_SDK_DISABLED', fix }];
}

/** Somebody may have put a key there by mistake: only what looks like a word is shown. */
function shown(word: string): string {
  return /^[a-z/.+-]{1,20}$/i.test(word) ? word : '…';
}
