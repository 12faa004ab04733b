import { afterEach, expect, test } from 'vitest';
import type { CapturedSpan } from '../model/sink.ts';
import { memorySink } from '../sinks/memory-sink.ts';
import { createTracing, type Tracing } from '../tracing.ts';
import { answer, init, type Message, result, toolUse } from './__fixtures__/sdk-messages.ts';
import type { UserAttributes } from './options.ts';

const tracings: Tracing[] = [];

afterEach(async () => {
  await Promise.all(tracings.splice(0).map((tracing) => tracing.close(0)));
});

function start() {
  const sink = memorySink({ capture: 'full' });
  const told: string[] = [];
  const diag = (_: string, message: string): void => void told.push(message);
  const tracing = createTracing({ sinks: [sink], cliTelemetry: 'off', diag });
  tracings.push(tracing);
  const named = (name: string): CapturedSpan | undefined =>
    sink.spans.find((span) => (span.kind === 'custom' && span.name === name) || span.kind === name);
  return { tracing, spans: sink.spans, named, told };
}

interface Tool {
  readonly handler: (input: unknown, extra: unknown) => Promise<unknown>;
}
interface Server {
  readonly instance: object;
  readonly tools: readonly Tool[];
}
interface Given {
  readonly prompt: unknown;
  readonly options?: { readonly mcpServers?: { readonly files: Server } };
}

/** Asks for a tool where it is given one. */
async function* query({ options }: Given): AsyncGenerator<Message> {
  yield init();
  if (options?.mcpServers !== undefined) {
    yield answer('msg_1', { blocks: [toolUse('toolu_1', 'mcp__files__read')] });
    await options.mcpServers.files.tools[0]?.handler({}, { _meta: { 'claudecode/toolUseId': 'toolu_1' } });
  } else yield answer('msg_2');
  yield result();
}

const createSdkMcpServer = ({ tools }: { readonly name: string; readonly tools: readonly Tool[] }): Server => ({
  instance: {},
  tools,
});

test('steps and queries in the handler of a tool nest in the span of its call', async () => {
  const { tracing, spans, named } = start();
  const sdk = tracing.wrapSdk({ query, createSdkMcpServer });
  const handler = (): Promise<unknown> =>
    tracing.span('look', async () => {
      for await (const _ of sdk.query({ prompt: 'inner' }));
    });
  const files = sdk.createSdkMcpServer({ name: 'files', tools: [{ handler }] });
  await tracing.withAttributes({ n: 1 }, async () => {
    for await (const _ of sdk.query({ prompt: 'outer', options: { mcpServers: { files } } }));
  });
  expect(named('look')).toMatchObject({ parentSpanId: named('tool')?.spanId, attributes: { n: 1 } });
  const [inner, outer] = spans.filter(({ kind }) => kind === 'agent');
  expect(inner?.parentSpanId).toBe(named('look')?.spanId);
  expect(outer).not.toHaveProperty('parentSpanId');
  expect(new Set(spans.map(({ traceId }) => traceId)).size).toBe(1);
});

test.each([[undefined], [null], [{ list: [1n] }], [{ list: { toJSON: () => JSON.parse('') } }]])(
  'attributes that cannot be written, as %o, are left out, and the code runs',
  (odd) => {
    const { tracing, named, told } = start();
    const attributes = odd as unknown as UserAttributes;
    expect(tracing.withAttributes(attributes, () => tracing.span('step', () => 5))).toBe(5);
    expect(named('step')?.attributes).toEqual({});
    expect([told.length, tracing.stats().caught]).toEqual([1, 1]);
  },
);

test('what a query throws is told of its turn', async () => {
  const { tracing, named } = start();
  const broken = async function* (): AsyncGenerator<Message> {
    yield init();
    throw new ReferenceError('no binary');
  };
  const watched = tracing.wrapQuery(broken as typeof query);
  const read = (async () => {
    for await (const _ of watched({ prompt: 'hi' }));
  })();
  await expect(read).rejects.toThrow('no binary');
  await tracing.flush();
  expect(named('agent')).toMatchObject({
    outcome: 'crashed',
    error: { type: 'ReferenceError', message: 'no binary' },
  });
});
