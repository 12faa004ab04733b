import {
  answer,
  type Collector,
  type CollectedRequest,
  startCollector,
  text,
  thinking,
  when,
} from '@spanprism/testkit';
import { describe, expect, test } from 'vitest';
import { type CommandRun, type CommandScenario, MODEL, read, runCommand, visible } from './command-run.ts';
import { bash } from './replies.ts';

const SECRET = 'the-prompt-that-nobody-may-see';
const OUTPUT = 'the-output-that-nobody-may-see';
const SCENARIO: CommandScenario = {
  args: ['-p', SECRET, '--model', MODEL, '--allowedTools', 'Bash'],
  rules: [
    when.toolResult('toolu_1').reply(answer(text('Done.'))),
    when.lastUserText('the second prompt').reply(answer(text('Again.'))),
    when.reply(answer([thinking('Hm.'), text('Let me check.'), bash('toolu_1', `echo ${OUTPUT}`)])),
  ],
};

/** A set-up of the user's own, as the documentation of Claude Code has it. */
const own = ({ url }: Pick<Collector, 'url'>, more: Readonly<Record<string, string>> = {}): CommandScenario => ({
  ...SCENARIO,
  env: {
    CLAUDE_CODE_ENABLE_TELEMETRY: '1',
    OTEL_LOGS_EXPORTER: 'otlp',
    OTEL_METRICS_EXPORTER: 'otlp',
    OTEL_EXPORTER_OTLP_PROTOCOL: 'http/protobuf',
    OTEL_EXPORTER_OTLP_ENDPOINT: url,
    OTEL_EXPORTER_OTLP_HEADERS: 'x-key=mine',
    ...more,
  },
});

interface Shown {
  readonly run: {
    readonly id: string;
    readonly costUsd: number;
    readonly llmCalls: number;
    readonly toolCalls: number;
  };
  readonly spans: readonly {
    readonly kind: string;
    readonly seenBy: readonly string[];
    readonly issues: readonly unknown[];
    readonly traceId: string;
    readonly parentSpanId?: string;
    readonly attributes: Readonly<Record<string, unknown>>;
    readonly input?: unknown;
    readonly output?: unknown;
  }[];
}

function shown(run: CommandRun): Shown {
  const [only] = read<{ readonly runs: readonly { readonly id: string }[] }>(run, 'runs').runs;
  return read<Shown>(run, 'show', only?.id ?? 'none');
}

const lastLine = ({ stderr }: CommandRun): string => stderr.trimEnd().split('\n').at(-1) ?? '';

describe('what a run leaves', () => {
  test('is in the store: telemetry and transcript as one, with content', async () => {
    await runCommand(SCENARIO, [], (run) => {
      const { run: summary, spans } = shown(run);
      expect(summary).toMatchObject({ llmCalls: 2, toolCalls: 1 });
      expect(spans.map(({ kind, seenBy, issues }) => ({ kind, seenBy, issues }))).toEqual(
        ['agent', 'llm', 'tool', 'llm'].map((kind) => ({ kind, seenBy: ['cli', 'transcript'], issues: [] })),
      );
      expect(JSON.stringify(spans.find(({ kind }) => kind === 'llm')?.output)).toContain('"Hm."');
      expect(spans.find(({ kind }) => kind === 'tool')?.output).toBe(OUTPUT);
      expect(JSON.stringify(spans[0]?.input)).toContain(SECRET);
      expect(lastLine(run)).toMatch(
        new RegExp(
          `^spanprism: run ${summary.id} · 11,000 in \\(8,000 cached\\) → 84 out · \\$0\\.\\d{4} · 1 tool · to ${run.store}`,
        ),
      );
    });
  });

  test('is telemetry and transcript as one of ten short runs at once', async () => {
    const short = { ...SCENARIO, args: ['-p', 'the second prompt', '--model', MODEL] };
    const runs = await Promise.all(
      Array.from({ length: 10 }, () =>
        runCommand(short, [], (run) => shown(run).spans.map(({ kind, seenBy }) => [kind, seenBy])),
      ),
    );
    const both = ['cli', 'transcript'];
    expect(runs).toEqual(
      Array.from({ length: 10 }, () => [
        ['agent', both],
        ['llm', both],
      ]),
    );
  });

  test('holds metadata alone where that is asked for', async () => {
    await runCommand(SCENARIO, ['--capture', 'metadata'], (run) => {
      const { spans } = shown(run);
      expect(spans).toHaveLength(4);
      expect(JSON.stringify(spans)).not.toMatch(new RegExp(`${SECRET}|${OUTPUT}|Hm\\.`));
    });
  });

  test('hangs below the trace that the environment names', async () => {
    const env = { TRACEPARENT: '00-0123456789abcdef0123456789abcdef-0123456789abcdef-01' };
    await runCommand({ ...SCENARIO, env }, ['--quiet'], (run) => {
      expect(run.stderr).toBe('');
      expect(shown(run).spans[0]).toMatchObject({
        traceId: '0123456789abcdef0123456789abcdef',
        parentSpanId: '0123456789abcdef',
      });
    });
  });

  test('goes to the backend that the environment names, without content, and not into the store', async () => {
    await using collector = await startCollector();
    const run = await runCommand({ ...SCENARIO, env: { OTEL_EXPORTER_OTLP_ENDPOINT: collector.url } }, []);
    expect(collector.spans().map(({ name }) => name)).toContain('execute_tool Bash');
    expect(collector.bytes().includes(SECRET) || collector.bytes().includes(OUTPUT)).toBe(false);
    expect(lastLine(run)).toContain('to otlp (OTEL_EXPORTER_OTLP_ENDPOINT)');
    expect(lastLine(run)).not.toContain(run.store);
  });

  test('goes where a flag says, and into the store beside', async () => {
    await using collector = await startCollector();
    await runCommand(SCENARIO, ['--otlp-endpoint', collector.url, '--store', '--capture', 'full'], (run) => {
      expect(collector.bytes().includes(SECRET)).toBe(true);
      expect(shown(run).spans).toHaveLength(4);
    });
  });

  test('is not there twice when the session is imported too', async () => {
    await runCommand(SCENARIO, [], (run) => {
      const before = shown(run);
      read(run, 'import', `${run.home}/.claude/projects`);
      expect(shown(run)).toEqual(before);
    });
  });

  test('is what this process did, of a session that is resumed', async () => {
    const id = '11111111-2222-4333-8444-555555555555';
    const flags = ['--model', MODEL, '--allowedTools', 'Bash'];
    const before = ['-p', 'the first prompt', ...flags, '--session-id', id];
    const args = ['-p', 'the second prompt', ...flags, '--resume', id];
    await runCommand({ ...SCENARIO, before, args }, [], (run) => {
      const { run: summary, spans } = shown(run);
      expect(summary).toMatchObject({ id, llmCalls: 1, toolCalls: 0 });
      expect(spans.map(({ kind, seenBy, issues }) => ({ kind, seenBy, issues }))).toEqual(
        ['agent', 'llm'].map((kind) => ({ kind, seenBy: ['cli', 'transcript'], issues: [] })),
      );
      expect(JSON.stringify(spans)).toContain('the second prompt');
      expect(JSON.stringify(spans)).not.toContain('the first prompt');
    });
  });

  test('is shown on stderr while it happens', async () => {
    const run = await runCommand(SCENARIO, ['--trace-console']);
    expect(run.stdout).toBe('Done.\n');
    expect(run.stderr).toMatch(/▶ claude[^]*→ Bash[^]*✓ Bash[^]*✓ claude completed/);
  });

  test('has the requests themselves with --wire', async () => {
    await runCommand(SCENARIO, ['--wire'], (run) => {
      const llm = shown(run).spans.filter(({ kind }) => kind === 'llm');
      expect(llm.map(({ seenBy }) => seenBy)).toEqual([
        ['cli', 'transcript', 'wire'],
        ['cli', 'transcript', 'wire'],
      ]);
      expect(JSON.stringify(llm)).toContain('You are a Claude agent');
    });
  });
});

describe('a telemetry set-up of the user’s own', () => {
  /** What he gets of the CLI: events, metrics and spans by name, and the attributes that each has. */
  const received = (collector: Collector): Readonly<Record<'logs' | 'metrics' | 'spans', readonly string[]>> => {
    const keys = ({ attributes }: { readonly attributes: object }): string => Object.keys(attributes).sort().join(' ');
    return {
      logs: collector.logs().map((log) => `${String(log.attributes['event.name'])}: ${keys(log)}`),
      metrics: [...new Set(collector.metrics().map(({ name }) => name))].filter(isOfCli).sort(),
      spans: collector
        .spans()
        .filter(({ name }) => isOfCli(name))
        .map((span) => `${span.name}: ${keys(span)}`),
    };
  };
  const isOfCli = (name: string): boolean => name.startsWith('claude_code.');
  const exportsOf = ({ requests }: Collector, signal: string): readonly CollectedRequest[] =>
    requests.filter((request) => request.signal === signal && request.headers['x-key'] === 'mine');

  test.each<[string, Readonly<Record<string, string>>]>([
    ['logs and metrics', {}],
    ['as JSON', { OTEL_EXPORTER_OTLP_PROTOCOL: 'http/json' }],
    ['compressed', { OTEL_EXPORTER_OTLP_COMPRESSION: 'gzip' }],
    ['spans too', { OTEL_TRACES_EXPORTER: 'otlp', CLAUDE_CODE_ENHANCED_TELEMETRY_BETA: '1' }],
    ['prompts too', { OTEL_LOG_USER_PROMPTS: '1' }],
  ])('gets what it would have got, and the run is traced all the same: %s', async (_name, more) => {
    await using before = await startCollector();
    await using after = await startCollector();
    const plain = await runCommand(own(before, more), 'plain');
    await runCommand(own(after, more), ['--store'], (run) => {
      expect(visible(run)).toEqual(visible(plain));
      expect(received(after)).toEqual(received(before));
      const [theirs, ours] = [before, after].map((collector) => exportsOf(collector, 'logs').at(0));
      expect(ours?.headers['content-type']).toBe(theirs?.headers['content-type']);
      expect(ours?.headers['content-encoding']).toBe(theirs?.headers['content-encoding']);
      const isPrompted = more['OTEL_LOG_USER_PROMPTS'] !== undefined;
      expect([before.bytes().includes(SECRET), after.bytes().includes(SECRET)]).toEqual([isPrompted, isPrompted]);
      expect(after.bytes().includes(OUTPUT)).toBe(false);
      const { spans } = shown(run);
      expect(spans.map(({ kind }) => kind)).toEqual(['agent', 'llm', 'tool', 'llm']);
      expect(spans[2]?.output).toBe(OUTPUT);
    });
  });

  test.each<[string, (url: string) => Readonly<Record<string, string>>]>([
    ['in general', (url) => ({ OTEL_EXPORTER_OTLP_ENDPOINT: url })],
    ['of the signal', (url) => ({ OTEL_EXPORTER_OTLP_LOGS_ENDPOINT: `${url}/v1/logs` })],
  ])('in a settings file gets what it would have got, and no content: the address %s', async (_name, address) => {
    await using before = await startCollector();
    await using after = await startCollector();
    const set = ({ url }: Collector): CommandScenario => {
      const { OTEL_METRICS_EXPORTER: _, OTEL_EXPORTER_OTLP_ENDPOINT: __, ...env } = own({ url }).env ?? {};
      return { ...SCENARIO, home: { '.claude/settings.json': JSON.stringify({ env: { ...env, ...address(url) } }) } };
    };
    await runCommand(set(before), 'plain');
    await runCommand(set(after), ['--store']);
    expect(received(before).logs.length).toBeGreaterThan(3);
    expect(received(after)).toEqual(received(before));
    expect([after.bytes().includes(SECRET), after.bytes().includes(OUTPUT)]).toEqual([false, false]);
  });

  test('of which the backend is down leaves claude as it is', async () => {
    const nowhere = { url: 'http://127.0.0.1:1' };
    const plain = await runCommand(own(nowhere), 'plain');
    await runCommand(own(nowhere), ['--store'], (run) => {
      expect(run.stdout).toBe(plain.stdout);
      expect(run.code).toBe(plain.code);
      expect(shown(run).spans).toHaveLength(4);
    });
  });
});
