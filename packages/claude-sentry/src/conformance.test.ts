import * as Sentry from '@sentry/node';
import type { CapturedSpan, Sink } from '@spanprism/core';
import { type SentryEndpoint, type SentrySpanRow, startSentryEndpoint } from '@spanprism/testkit';
import {
  type Row,
  runSinkCheck,
  SINK_CHECKS,
  type SinkCase,
  testDialect,
  testSink,
} from '@spanprism/testkit/conformance';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { sentryDialect } from './sentry-dialect.ts';
import { sentrySink } from './sentry-sink.ts';

/** After https://develop.sentry.dev/sdk/telemetry/traces/modules/ai-agents/: the op decides, and what is under another has a name of its own. */
const KINDS: Readonly<Record<string, Row['kind']>> = {
  'gen_ai.invoke_agent': 'agent',
  'gen_ai.chat': 'llm',
  'gen_ai.execute_tool': 'tool',
  'claude.permission': 'permission',
  'claude.hook': 'hook',
  function: 'custom',
};
const LABELS: Readonly<Partial<Record<Row['kind'], string>>> = {
  agent: 'gen_ai.agent.name',
  llm: 'gen_ai.response.id',
  tool: 'gen_ai.tool.call.id',
};
const CONTENT = [
  'gen_ai.input.messages',
  'gen_ai.output.messages',
  'gen_ai.system_instructions',
  'gen_ai.tool.definitions',
  'gen_ai.tool.call.arguments',
  'gen_ai.tool.call.result',
];

const micros = (seconds: number): bigint => BigInt(Math.round(seconds * 1e6)) * 1000n;

function rowOf({ attributes, ...span }: SentrySpanRow): Row {
  const number = (key: string): number | undefined => {
    const value = attributes[key];
    return typeof value === 'number' ? value : undefined;
  };
  const kind = KINDS[span.op] ?? 'custom';
  const label = attributes[LABELS[kind] ?? ''] ?? span.name;
  const untilFirst = number('gen_ai.response.time_to_first_chunk');
  const cached = [number('gen_ai.usage.cache_read.input_tokens'), number('gen_ai.usage.cache_creation.input_tokens')];
  const issues = attributes['claude.issues'];
  const startedAt = micros(span.startedAt);
  const optional = {
    parentId: span.parentSpanId,
    firstTokenAt: untilFirst === undefined ? undefined : startedAt + micros(untilFirst),
    countedInput: number('gen_ai.usage.input_tokens'),
    countedOutput: number('gen_ai.usage.output_tokens'),
    cachedInput: cached.every((one) => one === undefined)
      ? undefined
      : cached.reduce<number>((sum, one) => sum + (one ?? 0), 0),
    costUsd: number('gen_ai.cost.total_tokens'),
    issues: Array.isArray(issues) ? issues.map(String) : undefined,
  };
  return {
    traceId: span.traceId,
    id: span.spanId,
    kind,
    label: String(label),
    startedAt,
    endedAt: micros(span.endedAt),
    outcome: outcomeOf(attributes, span.status),
    text: CONTENT.map((key) => String(attributes[key] ?? '')).join('\n'),
    ...(Object.fromEntries(Object.entries(optional).filter(([, value]) => value !== undefined)) as Partial<Row>),
  };
}

function outcomeOf(attributes: SentrySpanRow['attributes'], status: string): Row['outcome'] {
  if (attributes['claude.tool.denied_by'] !== undefined) return 'denied';
  if (attributes['claude.cancelled'] === true) return 'cancelled';
  return status === 'ok' ? 'ok' : 'error';
}

const isOwn = ({ origin }: SentrySpanRow): boolean => origin === 'auto.ai.claude_agent_sdk';

let endpoint: SentryEndpoint;
beforeAll(async () => {
  endpoint = await startSentryEndpoint();
});
afterAll(() => endpoint.close());

interface Sent {
  readonly spans: readonly SentrySpanRow[];
  /** Everything that left, errors and all else that Sentry sends by itself. */
  readonly text: string;
}

/** The real client with all its defaults: whatever it would add to us, or take away. */
function sentryCase(traceLifecycle: 'static' | 'stream'): SinkCase<Sent> {
  return {
    name: `sentrySink, ${traceLifecycle}`,
    can: ['live', 'cost', 'issues', 'firstToken', 'content'],
    make: ({ diag }) => {
      endpoint.clear();
      Sentry.init({ dsn: endpoint.dsn, tracesSampleRate: 1, traceLifecycle });
      const dispose = async (): Promise<void> => void (await Sentry.close(1000));
      return { sink: sentrySink({ diag }), sent: () => ({ spans: endpoint.spans(), text: endpoint.text() }), dispose };
    },
    decode: ({ spans }) => spans.filter(isOwn).map(rowOf),
  };
}

describe.each(['static', 'stream'] as const)('in Sentry', (traceLifecycle) => {
  testSink(test, sentryCase(traceLifecycle));
});

/** The sink with one fault, and the one check that finds it. */
interface Mutant {
  readonly fault: string;
  readonly foundBy: string;
  /** What the sink is told in place of what is true. */
  readonly told: (span: CapturedSpan) => CapturedSpan | undefined;
}

const MUTANTS: readonly Mutant[] = [
  {
    fault: 'counts the usage of the turn beside that of its calls',
    foundBy: 'tokens are counted once per trace',
    told: (span) =>
      span.kind === 'agent' && span.totals !== undefined ? asCall(span, { usage: { outputTokens: 50 } }) : span,
  },
  {
    fault: 'takes cached tokens out of the input',
    foundBy: 'cached tokens are part of the input',
    told: (span) =>
      cachedInput(span) === undefined
        ? span
        : ({ ...span, usage: { ...usageOf(span), inputTokens: 100 } } as CapturedSpan),
  },
  {
    fault: 'says 0 where it does not know',
    foundBy: 'a figure that is not known is not 0',
    told: (span) => (span.kind === 'llm' && span.costUsd === undefined ? { ...span, costUsd: 0 } : span),
  },
  {
    fault: 'takes what was cancelled for done',
    foundBy: 'what was cancelled did not fail',
    told: (span) => (span.kind === 'llm' && span.status === 'cancelled' ? { ...span, status: 'ok' } : span),
  },
  {
    fault: 'takes a failed tool for done',
    foundBy: 'a failed tool is an error',
    told: (span) =>
      span.kind === 'tool' && span.denied === undefined && span.status === 'error' ? { ...span, status: 'ok' } : span,
  },
  {
    fault: 'flattens subagents',
    foundBy: 'a subagent hangs below the call that asked for it',
    told: (span) =>
      span.kind === 'agent' && span.role === 'subagent' && span.isSegment !== true
        ? ({ ...span, parentSpanId: 'c000000000000001' } as CapturedSpan)
        : span,
  },
  {
    fault: 'leaves out when the first token came',
    foundBy: 'the first token has its time',
    told: (span) =>
      Object.fromEntries(Object.entries(span).filter(([key]) => key !== 'firstTokenAt')) as unknown as CapturedSpan,
  },
  {
    fault: 'takes the time of now for the end',
    foundBy: 'start and end are the observed ones',
    told: (span) =>
      span.kind === 'tool' && span.toolCallId === 'toolu_4' ? { ...span, endedAt: span.startedAt + 1n } : span,
  },
];

const usageOf = (span: CapturedSpan) => (span.kind === 'llm' ? span.usage : undefined);
const cachedInput = (span: CapturedSpan) => usageOf(span)?.cacheReadTokens;
/** A turn that says what calls say. */
const asCall = (span: CapturedSpan, figures: object): CapturedSpan =>
  ({
    ...span,
    ...figures,
    kind: 'llm',
    requestModel: 'm',
    provider: 'anthropic',
    attempts: 1,
    purpose: 'turn',
    messageId: 'main',
  }) as unknown as CapturedSpan;

describe.each(['static', 'stream'] as const)('a mutant, %s', (traceLifecycle) => {
  const groups: readonly string[] = ['shape', 'time', 'numbers', 'outcome'];
  const spelled = SINK_CHECKS.filter(({ group, needs = [] }) => groups.includes(group) && !needs.includes('ownIds'));

  test.each(MUTANTS)('that $fault is found out', async ({ told, foundBy }) => {
    const good = sentryCase(traceLifecycle);
    const mutant: SinkCase<Sent> = {
      ...good,
      make: async (backend) => {
        const made = await good.make(backend);
        const spanEnd = (span: CapturedSpan): void => {
          const changed = told(span);
          if (changed !== undefined) made.sink.spanEnd(changed);
        };
        const spanStart: Sink['spanStart'] = (span) => made.sink.spanStart?.(told(span) ?? span);
        return { ...made, sink: { ...made.sink, spanStart, spanEnd } };
      },
    };
    const failed: string[] = [];
    for (const check of spelled) await runSinkCheck(check, mutant).catch(() => failed.push(check.name));
    expect(failed).toEqual([foundBy]);
  });
});

describe('the dialect', () => {
  testDialect(test, { dialect: sentryDialect(), prefixes: ['gen_ai.', 'claude.', 'error.', 'mcp.', 'sentry.'] });
});
