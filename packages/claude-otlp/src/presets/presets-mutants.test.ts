import type { CapturedSpan } from '@spanprism/core';
import type { Dialect, DialectAttributes } from '@spanprism/core/dialect';
import { genaiDialect } from '@spanprism/core/dialect';
import { runSinkCheck, SINK_CHECKS } from '@spanprism/testkit/conformance';
import { describe, expect, test } from 'vitest';
import { presetCase } from '../__fixtures__/preset-case.ts';
import { AGENT_PLATFORMS, OBSERVABILITY } from '../__fixtures__/preset-cases.ts';
import { LANGSMITH } from '../dialects/langsmith.ts';
import { openinferenceDialect } from '../dialects/openinference.ts';
import { overlaid } from '../dialects/overlay.ts';
import { SENTRY_OTLP } from '../dialects/sentry-otlp.ts';

type Change = (attributes: DialectAttributes, span: CapturedSpan) => DialectAttributes;

function changed(dialect: Dialect, change: Change): Dialect {
  const { putAttributes: _, ...rest } = dialect;
  return { ...rest, attributes: (span) => change(dialect.attributes(span), span) };
}

const PRESETS = {
  honeycomb: {
    preset: OBSERVABILITY['honeycomb']!,
    dialect: genaiDialect(),
    input: 'gen_ai.usage.input_tokens',
    output: 'gen_ai.usage.output_tokens',
    cost: 'claude.cost_usd',
  },
  phoenix: {
    preset: AGENT_PLATFORMS['phoenix']!,
    dialect: openinferenceDialect(),
    input: 'llm.token_count.prompt',
    output: 'llm.token_count.completion',
    cost: 'llm.cost.total',
  },
  langsmith: {
    preset: AGENT_PLATFORMS['langsmith']!,
    dialect: overlaid(genaiDialect(), LANGSMITH),
    input: 'gen_ai.usage.input_tokens',
    output: 'gen_ai.usage.output_tokens',
    cost: 'claude.cost_usd',
  },
  sentryOtlp: {
    preset: OBSERVABILITY['sentryOtlp']!,
    dialect: overlaid(genaiDialect(), SENTRY_OTLP),
    input: 'gen_ai.usage.input_tokens',
    output: 'gen_ai.usage.output_tokens',
    cost: 'gen_ai.cost.total_tokens',
  },
} as const;

type Preset = (typeof PRESETS)[keyof typeof PRESETS];

/** One way each in which integrations went wrong, made with the dialect of a preset, and the check that finds it. */
const FAULTS: Readonly<Record<string, readonly [foundBy: string, make: (preset: Preset) => Dialect]>> = {
  'counts the totals of the turn beside the calls': [
    'tokens are counted once per trace',
    ({ dialect, output }) =>
      changed(dialect, (attributes, span) =>
        span.kind === 'agent' ? { ...attributes, [output]: span.totals?.usage.outputTokens ?? 1 } : attributes,
      ),
  ],
  'leaves cached tokens out of the input': [
    'cached tokens are part of the input',
    ({ dialect, input }) =>
      changed(dialect, (attributes, span) => {
        if (span.kind !== 'llm' || span.usage?.inputTokens === undefined) return attributes;
        const { inputTokens, cacheReadTokens = 0, cacheWriteTokens = 0 } = span.usage;
        return { ...attributes, [input]: inputTokens - cacheReadTokens - cacheWriteTokens };
      }),
  ],
  'says 0 where nothing is known': [
    'a figure that is not known is not 0',
    ({ dialect, input }) =>
      changed(dialect, (attributes, span) => (span.kind === 'llm' ? { [input]: 0, ...attributes } : attributes)),
  ],
  'prices the turn beside the calls': [
    'money is counted once per trace',
    ({ dialect, cost }) =>
      changed(dialect, (attributes, span) => (span.kind === 'agent' ? { ...attributes, [cost]: 1 } : attributes)),
  ],
  'flattens subagents': [
    'a subagent hangs below the call that asked for it',
    ({ dialect }) => ({ ...dialect, parentSpanId: (span) => (span.kind === 'agent' ? undefined : span.parentSpanId) }),
  ],
  'calls failures a success': [
    'a failed call is an error',
    ({ dialect }) => ({ ...dialect, status: () => ({ code: 'unset' }) }),
  ],
  'lets the user’s attributes stand for ours': [
    'attributes of the user are never taken for ours',
    ({ dialect }) =>
      changed(dialect, (attributes, span) => ({ ...attributes, ...span.attributes, [PRESETS.phoenix.input]: 9 })),
  ],
};

async function checkOf(preset: Preset, foundBy: string, dialect?: Dialect): Promise<void> {
  const check = SINK_CHECKS.find(({ name }) => name === foundBy);
  if (check === undefined) throw new Error(`no check is called "${foundBy}"`);
  const options = { ...preset.preset.options, ...(dialect === undefined ? {} : { dialect }) };
  await runSinkCheck(check, presetCase('mutant', { ...preset.preset, options }));
}

describe.each(Object.entries(PRESETS))('%s', (_, preset) => {
  test.each(Object.entries(FAULTS))('one that %s is found', async (_fault, [foundBy, make]) => {
    await expect(checkOf(preset, foundBy, make(preset))).rejects.toThrow(/./);
    await expect(checkOf(preset, foundBy)).resolves.toBeUndefined();
  });
});
