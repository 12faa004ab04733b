import { createTracing, memorySink } from '@spanprism/core';
import { describe, expect, test } from 'vitest';
import { wrapLate } from './wrap-late.ts';

async function* query(): AsyncGenerator<string> {
  yield 'message';
}
const sdk = { query, createSdkMcpServer: () => 'server', tool: () => 'tool' };
const tracing = createTracing({ sinks: [memorySink()], cliTelemetry: 'off' });

describe('a namespace that is watched late', () => {
  test('asks for its watched self when it is called, once for each call, and not before', () => {
    const asked: string[] = [];
    const late = wrapLate(sdk, (member) => {
      asked.push(member);
      return { createSdkMcpServer: () => 'watched server' };
    });
    expect(asked).toEqual([]);
    expect((late as typeof sdk).createSdkMcpServer()).toBe('watched server');
    expect(asked).toEqual(['createSdkMcpServer']);
  });

  test('is the SDK itself where nothing watches', () => {
    const late = wrapLate(sdk, () => undefined) as typeof sdk;
    expect(late.createSdkMcpServer()).toBe('server');
    expect(late.tool).toBe(sdk.tool);
    expect(late.query.name).toBe('query');
  });

  test('is not wrapped again by a tracing of the program’s own: a query is traced once', () => {
    const late = wrapLate(sdk, () => tracing.wrapSdk(sdk)) as typeof sdk;
    const explicit = createTracing({ sinks: [memorySink()], cliTelemetry: 'off' });
    expect(explicit.wrapSdk(late).query).toBe(late.query);
    expect(explicit.wrapQuery(late.query)).toBe(late.query);
  });

  test('leaves alone what a tracing has wrapped already', () => {
    const wrapped = tracing.wrapSdk(sdk);
    expect(
      Reflect.get(
        wrapLate(wrapped, () => undefined),
        'query',
      ),
    ).toBe(wrapped.query);
  });

  test('an SDK without a member stays without it', () => {
    expect(Object.keys(wrapLate(sdk, () => undefined))).toEqual(Object.keys(sdk));
  });
});
