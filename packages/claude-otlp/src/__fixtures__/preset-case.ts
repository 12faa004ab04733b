import type { Sink } from '@spanprism/core';
import type { CollectedSpan } from '@spanprism/testkit';
import { SINK_CHECKS, testSink } from '@spanprism/testkit/conformance';
import type { SinkCase } from '@spanprism/testkit/conformance';
import { test } from 'vitest';
import type { OtlpSinkOptions } from '../index.ts';
import { rowsOf } from './backends.ts';
import type { Backend } from './backends.ts';

export type MakePreset = (options: OtlpSinkOptions & Readonly<Record<string, unknown>>) => Sink;

/** A preset, the environment in which it finds what it needs, and how its backend reads what arrives. */
export interface PresetCase {
  readonly make: MakePreset;
  readonly env: Readonly<Record<string, string>>;
  readonly backend: Backend;
  /** The suite sends more than some backends keep: what it may send here, in tests of everything but that limit. */
  readonly options?: OtlpSinkOptions;
}

/** A preset that sends to the collector in place of its vendor. */
export function presetCase(name: string, { make, env, backend, options }: PresetCase): SinkCase<readonly CollectedSpan[]> {
  return {
    name,
    can: ['http', 'ownIds', 'cost', 'issues', 'firstToken', 'content'],
    make: ({ collector, diag }) => ({
      sink: make({ environment: env, url: `${collector.url}/v1/traces`, diag, ...options }),
      sent: () => collector.spans(),
    }),
    decode: (spans) => rowsOf(backend, spans),
  };
}

/** Some checks watch the whole process, or need a core: nothing may run beside them. The others mostly wait, and may do so beside each other. */
export function testPreset(name: string, preset: PresetCase, which: 'alone' | 'beside'): void {
  const isWanted = (title: string): boolean => ALONE.some((check) => title.endsWith(check)) === (which === 'alone');
  const register = (title: string, run: () => Promise<void>) => (isWanted(title) ? test(title, { timeout: 60_000 }, run) : undefined);
  testSink(Object.assign(register, { skip: test.skip }), presetCase(name, preset));
}

const ALONE: readonly string[] = SINK_CHECKS.filter(({ isAlone, isHeavy }) => isAlone ?? isHeavy).map(
  ({ name }) => name,
);
