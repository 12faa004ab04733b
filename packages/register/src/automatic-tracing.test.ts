import * as core from '@spanprism/core';
import { afterEach, describe, expect, test } from 'vitest';
import { AutomaticTracing } from './automatic-tracing.ts';

const started: core.Tracing[] = [];
afterEach(async () => {
  for (const tracing of started.splice(0)) await tracing.close();
});

function automatic(environment: Readonly<Record<string, string>>, packages: Readonly<Record<string, object>> = {}) {
  const lines: string[] = [];
  const made = new AutomaticTracing({
    environment,
    isSentryLive: () => false,
    load: (name) => ({ '@spanprism/core': core, ...packages })[name] as Readonly<Record<string, unknown>>,
    say: (line) => lines.push(line),
  });
  return {
    lines,
    announce: () => made.announce(),
    start: () => {
      const tracing = made.start();
      if (tracing !== undefined) started.push(tracing);
      return tracing;
    },
  };
}

describe('automatic tracing', () => {
  test('says nothing until something is traced, then one line, once', () => {
    const { lines, start, announce } = automatic({});
    expect(start()).toBeDefined();
    expect(lines).toEqual([]);
    announce();
    announce();
    expect(lines).toEqual([expect.stringMatching(/^Claude agents are traced on this console; /)]);
  });

  test('a first query, which nobody can make wait, waits for the receiver of the CLI’s telemetry itself', async () => {
    const given: core.TracingOptions[] = [];
    const createTracing = (options: core.TracingOptions): core.Tracing => {
      given.push(options);
      return core.createTracing(options);
    };
    const { start } = automatic({}, { '@spanprism/core': { ...core, createTracing } });
    const wrapped = start()?.wrapQuery(async function* query(_given: { readonly prompt: string }) {});
    wrapped?.({ prompt: 'Look around' });
    expect(start()?.stats().loopback?.state).toBe('listening');
    expect(given.map(({ readyWithinMs }) => readyWithinMs)).toEqual([1_000]);
  });

  test('names sinks with the variables that asked for them', () => {
    const sink = { ...core.memorySink(), name: 'otlp' };
    const { lines, start, announce } = automatic(
      { OTEL_EXPORTER_OTLP_ENDPOINT: 'http://127.0.0.1:9' },
      { '@spanprism/claude-otlp': { otlpSink: () => sink } },
    );
    start();
    announce();
    expect(lines).toEqual(['Claude agents are traced to otlp (OTEL_EXPORTER_OTLP_ENDPOINT)']);
  });

  test('where nothing that was asked for can be had, nothing is traced, not even on the console', () => {
    const { lines, start, announce } = automatic({ LOGFIRE_TOKEN: 'pylf_v1_us_x' });
    expect(start()).toBeUndefined();
    announce();
    announce();
    expect(lines).toEqual([expect.stringContaining('npm install @spanprism/claude-logfire'), 'nothing is traced']);
  });

  test('where the one backend is switched off nothing is traced, without a word', () => {
    const disabled = { ...core.memorySink(), name: 'langfuse', isDisabled: true } as const;
    const { lines, start, announce } = automatic(
      { LANGFUSE_PUBLIC_KEY: 'pk', LANGFUSE_TRACING_ENABLED: 'false' },
      { '@spanprism/claude-langfuse': { langfuseSink: () => disabled } },
    );
    announce();
    expect([start(), lines]).toEqual([undefined, []]);
  });

  test('OTEL_SDK_DISABLED switches it off without a word', () => {
    const { lines, start, announce } = automatic({ OTEL_SDK_DISABLED: 'true' });
    announce();
    expect([start(), lines]).toEqual([undefined, []]);
  });

  test('a fault of its own is one line, and no exception', () => {
    const { lines, start, announce } = automatic({}, { '@spanprism/core': {} });
    expect(start()).toBeUndefined();
    announce();
    expect(lines).toEqual([expect.stringMatching(/^nothing is traced: /)]);
  });
});
