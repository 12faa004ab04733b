import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { captureOf } from './capture.ts';
import { type ChosenSinks, sinksFrom } from './sinks-from.ts';

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'spanprism-sinks-'));
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

async function chosen(
  env: Readonly<Record<string, string>>,
  flags: Readonly<Record<string, unknown>> = {},
  more: { readonly usesOtlpVariables?: boolean } = {},
): Promise<Omit<ChosenSinks, 'sinks'> & { readonly names: readonly string[] }> {
  const store = join(folder, 'spans.db');
  const { sinks, ...rest } = await sinksFrom(
    { env: { SPANPRISM_STORE: store, ...env }, diag: () => undefined, ...more },
    flags,
  );
  for (const sink of sinks) await sink.close(100);
  return { ...rest, names: sinks.map(({ name }) => name) };
}

const OTLP = { OTEL_EXPORTER_OTLP_ENDPOINT: 'http://127.0.0.1:1' };

describe('sinks are', () => {
  test('the local store where nothing else is asked for', async () => {
    const store = join(folder, 'spans.db');
    expect(await chosen({})).toEqual({
      names: ['store'],
      places: [store],
      problems: [],
      storePath: store,
      writeStore: expect.any(Function),
    });
  });

  test('what the environment names, and the store no more unless it is asked for', async () => {
    expect(await chosen(OTLP)).toMatchObject({ names: ['otlp'], places: ['otlp (OTEL_EXPORTER_OTLP_ENDPOINT)'] });
    expect((await chosen(OTLP, { store: true })).names).toEqual(['otlp', 'store']);
  });

  test('what flags say, in place of the variable that says the same', async () => {
    const flags = { 'otlp-endpoint': 'http://127.0.0.1:2', 'logfire-token': 'pylf_v1_eu_token' };
    expect(await chosen({ ...OTLP, LOGFIRE_TOKEN: 'pylf_v1_us_other' }, flags)).toMatchObject({
      names: ['otlp', 'logfire'],
      places: ['otlp (http://127.0.0.1:2)', 'logfire'],
      problems: [],
    });
  });

  test('named without what is confidential in their addresses', async () => {
    const flags = { 'otlp-endpoint': 'http://user:hunter2@127.0.0.1:2/otlp?api_key=k' };
    expect((await chosen({}, flags)).places).toEqual(['otlp (http://127.0.0.1:2/otlp)']);
  });

  test('not where OpenTelemetry’s variables speak of another’s spans', async () => {
    expect((await chosen(OTLP, {}, { usesOtlpVariables: false })).names).toEqual(['store']);
  });

  test('a live view beside them, which is no place', async () => {
    const { names, places } = await chosen({}, { 'trace-console': true });
    expect(names).toEqual(['store', 'console']);
    expect(places).toHaveLength(1);
  });

  test('those that can be had: what cannot is a problem, and no content goes elsewhere for it', async () => {
    const { names, problems } = await chosen({ OTEL_EXPORTER_OTLP_ENDPOINT: 'nowhere' });
    expect(names).toEqual([]);
    expect(problems.join()).toContain('OTEL_EXPORTER_OTLP_ENDPOINT');
  });
});

describe('--capture', () => {
  test.each([
    [undefined, undefined],
    ['full', 'full'],
    ['metadata', 'metadata'],
    ['prompts, toolInputs', { prompts: true, toolInputs: true }],
  ])('%j is %j', (text, capture) => expect(captureOf(text)).toEqual(capture));

  test('names what it does not know, and what there is', () => {
    expect(() => captureOf('prompts,secrets')).toThrow(/no field "secrets"; it takes metadata, full, or of prompts,/);
  });
});
