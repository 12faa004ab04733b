import { createTracing, memorySink } from '@spanprism/core';
import { describe, expect, test } from 'vitest';
import { wrapLate } from './wrap-late.ts';

async function* query(_given: { readonly prompt: string }): AsyncGenerator<string> {
  yield 'message';
}
const sdk = { query, createSdkMcpServer: () => 'server', tool: () => 'tool' };

const tracingInto = (sink = memorySink()) => createTracing({ sinks: [sink], cliTelemetry: 'off' });
const unclaimed = (): never => {
  throw new Error('nobody wraps it');
};

function late(watched: (member: string) => object | undefined, claimed: () => void = unclaimed): typeof sdk {
  return wrapLate(sdk, { watched, claimed }) as typeof sdk;
}

describe('a namespace that is watched late', () => {
  test('asks for its watched self when it is called, once for each call, and not before', () => {
    const asked: string[] = [];
    const { createSdkMcpServer } = late((member) => {
      asked.push(member);
      return { createSdkMcpServer: () => 'watched server' };
    });
    expect(asked).toEqual([]);
    expect(createSdkMcpServer()).toBe('watched server');
    expect(asked).toEqual(['createSdkMcpServer']);
  });

  test('is the SDK itself where nothing watches', () => {
    const { createSdkMcpServer, tool, query: lateQuery } = late(() => undefined);
    expect(createSdkMcpServer()).toBe('server');
    expect(tool).toBe(sdk.tool);
    expect(lateQuery.name).toBe('query');
  });

  test.each([
    ['wrapSdk', (tracing: ReturnType<typeof tracingInto>, wrapped: typeof sdk) => tracing.wrapSdk(wrapped).query],
    ['wrapQuery', (tracing: ReturnType<typeof tracingInto>, wrapped: typeof sdk) => tracing.wrapQuery(wrapped.query)],
  ])('a program that uses %s as well is traced once, by its own tracing', async (_, wrapIn) => {
    const [automatic, own] = [memorySink(), memorySink()];
    const [automaticTracing, ownTracing] = [tracingInto(automatic), tracingInto(own)];
    let claims = 0;
    const wrapped = late(
      () => automaticTracing.wrapSdk(sdk),
      () => (claims += 1),
    );
    const explicit = wrapIn(ownTracing, wrapped);
    for await (const message of explicit({ prompt: 'Look around' })) expect(message).toBe('message');
    await Promise.all([automaticTracing.close(), ownTracing.close()]);
    expect([automatic.spans.length, own.spans.length, claims]).toEqual([0, 1, 1]);
  });

  test('a query that nobody else wraps is traced', async () => {
    const sink = memorySink();
    const tracing = tracingInto(sink);
    const wrapped = late(() => tracing.wrapSdk(sdk));
    for await (const message of wrapped.query({ prompt: 'Look around' })) expect(message).toBe('message');
    await tracing.close();
    expect(sink.spans.length).toBe(1);
  });

  test('leaves alone what a tracing has wrapped already', () => {
    const wrapped = tracingInto().wrapSdk(sdk);
    expect(Reflect.get(wrapLate(wrapped, { watched: unclaimed, claimed: unclaimed }), 'query')).toBe(wrapped.query);
  });

  test('an SDK without a member stays without it', () => {
    expect(Object.keys(late(() => undefined))).toEqual(Object.keys(sdk));
  });
});
