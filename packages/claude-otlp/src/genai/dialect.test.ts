import { describe, expect, test } from 'vitest';
import { SAMPLE_TRACES, agent, at, llm, spanId, spelled, tool } from '@spanprism/testkit/samples';
import { genaiDialect } from '@spanprism/core/dialect';

const DIALECTS = [genaiDialect(), genaiDialect({ version: 'latest', toolParent: 'llm' })];
const CASES = DIALECTS.flatMap((dialect) =>
  Object.entries(SAMPLE_TRACES).map(([trace, spans]) => ({ dialect, trace, spans })),
);

describe('golden files', () => {
  test.each(CASES)('$trace in $dialect.name is spelled as reviewed', async ({ dialect, trace, spans }) => {
    await expect(spelled(dialect, spans)).toMatchFileSnapshot(`../__fixtures__/${trace}.${dialect.name}.json`);
  });
});

const dialect = genaiDialect();

test('input tokens hold the cache reads and writes once', () => {
  const usage = { inputTokens: 130_213, outputTokens: 210, cacheReadTokens: 128_955, cacheWriteTokens: 1253 };
  expect(dialect.attributes(llm({ id: 1, ms: [0, 1], usage }))).toMatchObject({
    'gen_ai.usage.input_tokens': 5 + 128_955 + 1253,
    'gen_ai.usage.cache_read.input_tokens': 128_955,
    'gen_ai.usage.cache_creation.input_tokens': 1253,
    'gen_ai.usage.output_tokens': 210,
  });
});

test('the latest version spells cache writes its own way, and never both ways', () => {
  const span = llm({ id: 1, ms: [0, 1], usage: { cacheWriteTokens: 7 } });
  const latest = genaiDialect({ version: 'latest' }).attributes(span);
  expect(latest['gen_ai.usage.cache_write.input_tokens']).toBe(7);
  expect(latest).not.toHaveProperty(['gen_ai.usage.cache_creation.input_tokens']);
  expect(dialect.attributes(span)).not.toHaveProperty(['gen_ai.usage.cache_write.input_tokens']);
});

test('figures that are not known are absent, and a known 0 is there', () => {
  const attributes = dialect.attributes(llm({ id: 1, ms: [0, 1], usage: { inputTokens: 3, cacheReadTokens: 0 } }));
  expect(attributes['gen_ai.usage.cache_read.input_tokens']).toBe(0);
  expect(attributes).not.toHaveProperty(['gen_ai.usage.output_tokens']);
  expect(Object.values(attributes)).not.toContain(undefined);
});

test('no span but that of a call carries gen_ai usage', () => {
  const others = Object.values(SAMPLE_TRACES).flatMap((spans) => spans.filter((span) => span.kind !== 'llm'));
  const keys = others.flatMap((span) => Object.keys(dialect.attributes(span)));
  expect(keys.filter((key) => key.startsWith('gen_ai.usage.'))).toEqual([]);
});

test('the time to the first chunk is in seconds', () => {
  const attributes = dialect.attributes(llm({ id: 1, ms: [100, 2000], firstTokenAt: at(850.5) }));
  expect(attributes['gen_ai.response.time_to_first_chunk']).toBe(0.7505);
});

test('a call without a message id is known by its request id', () => {
  const attributes = dialect.attributes(llm({ id: 1, ms: [0, 1], requestId: 'req_9' }));
  expect(attributes).toMatchObject({ 'gen_ai.response.id': 'req_9', 'claude.request_id': 'req_9' });
});

test('a cancelled span is neither ok nor failed', () => {
  const span = llm({ id: 1, ms: [0, 1], status: 'cancelled' });
  expect(dialect.status(span)).toEqual({ code: 'unset' });
  expect(dialect.attributes(span)).not.toHaveProperty(['error.type']);
  expect(dialect.attributes(span)['claude.cancelled']).toBe(true);
});

test('an error without a type of its own is _OTHER, and one without words has no message', () => {
  const span = agent({ id: 1, ms: [0, 1], status: 'error' });
  expect(dialect.attributes(span)['error.type']).toBe('_OTHER');
  expect(dialect.status(span)).toEqual({ code: 'error' });
});

test("a user's key never changes what a standard key says", () => {
  const attributes = dialect.attributes(
    tool({ id: 1, ms: [0, 1], attributes: { 'gen_ai.tool.name': 'mine', team: 'a' } }),
  );
  expect(attributes).toMatchObject({
    'gen_ai.tool.name': 'Bash',
    'claude.attribute.gen_ai.tool.name': 'mine',
    team: 'a',
  });
});

test('a text result of a tool is not quoted once more', () => {
  const attributes = dialect.attributes(tool({ id: 1, ms: [0, 1], output: 'line 1\nline 2', input: { a: 'x' } }));
  expect(attributes['gen_ai.tool.call.result']).toBe('line 1\nline 2');
  expect(attributes['gen_ai.tool.call.arguments']).toBe('{"a":"x"}');
});

test('values that JSON cannot hold lose their attribute and nothing else', () => {
  const cycle: Record<string, unknown> = {};
  cycle['self'] = cycle;
  const attributes = dialect.attributes(tool({ id: 1, ms: [0, 1], input: cycle, output: { big: 1n } }));
  expect(attributes['gen_ai.tool.name']).toBe('Bash');
  expect(attributes).not.toHaveProperty(['gen_ai.tool.call.arguments']);
  expect(attributes).not.toHaveProperty(['gen_ai.tool.call.result']);
});

test('a tool hangs below the call that asked for it only when told to', () => {
  const span = tool({ id: 3, parent: 1, ms: [0, 1], requestedByLlmSpanId: spanId(2) });
  const nested = genaiDialect({ toolParent: 'llm' });
  expect(dialect.parentSpanId(span)).toBe(spanId(1));
  expect(dialect.links(span)).toEqual([{ spanId: spanId(2), attributes: { 'claude.link': 'requested_by' } }]);
  expect(nested.parentSpanId(span)).toBe(spanId(2));
  expect(nested.links(span)).toEqual([]);
  expect(nested.parentSpanId(tool({ id: 3, parent: 1, ms: [0, 1] }))).toBe(spanId(1));
});

test('every attribute is a value that OTLP and the OpenTelemetry API both take', () => {
  const isScalar = (value: unknown): boolean => ['string', 'number', 'boolean'].includes(typeof value);
  for (const { dialect: each, spans } of CASES) {
    for (const value of spans.flatMap((span) => Object.values(each.attributes(span)))) {
      const isFine = Array.isArray(value) ? new Set(value.map((item) => typeof item)).size <= 1 : isScalar(value);
      expect(isFine).toBe(true);
    }
  }
});

test('every key is a standard one, ours, or the user’s', () => {
  const foreign = new Set(['user.id', 'project', 'beta', 'error.type', 'mcp.method.name']);
  for (const { dialect: each, spans } of CASES) {
    const keys = spans.flatMap((span) => Object.keys(each.attributes(span)));
    expect(keys.filter((key) => !/^(gen_ai|claude)\./.test(key) && !foreign.has(key))).toEqual([]);
  }
});

test('attributes said one by one are those of the object, in its order, each once', () => {
  for (const { dialect: each, spans } of CASES) {
    for (const span of spans) {
      const said: [string, unknown][] = [];
      const put = (key: string, value: unknown): void => {
        if (value !== undefined) said.push([key, value]);
      };
      each.putAttributes?.(span, { put });
      expect(said).toEqual(Object.entries(each.attributes(span)));
    }
  }
});

function freeze<T>(value: T): T {
  if (typeof value === 'object' && value !== null && !Object.isFrozen(value)) {
    Object.freeze(value);
    for (const inner of Object.values(value)) freeze(inner);
  }
  return value;
}

test('spans stay as they are, and the same span is spelled the same way twice', () => {
  for (const { dialect: each, spans } of CASES) {
    for (const span of spans) {
      freeze(span);
      expect(spelled(each, [span])).toBe(spelled(each, [span]));
    }
  }
});
