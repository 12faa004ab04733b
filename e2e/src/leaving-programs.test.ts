import { mkdtempSync, realpathSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import {
  answer,
  type Collector,
  cleanEnvironment,
  makeProject,
  startCollector,
  startMessagesApi,
  text,
  when,
} from '@spanprism/testkit';
import { afterAll, beforeAll, describe, expect, inject, test } from 'vitest';
import { type Ended, installLane, NODES, runProgram } from './lane.ts';
import { bash, usage } from './replies.ts';

const tarballs = inject('tarballs');
const folder = realpathSync(mkdtempSync(join(tmpdir(), 'spanprism-leaving-')));
const program = (name: string): string => join(folder, 'plain', name);

beforeAll(() => installLane('plain', folder, tarballs));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

const rules = [
  when.toolResult('toolu_1').reply(answer(text('Three files.'), { usage: usage(1400, 12) })),
  when.lastUserText('Look around').reply(answer(bash('toolu_1', 'ls'), { usage: usage(1200, 30) })),
];

/** All that the run consists of. */
const WHOLE = ['chat claude-sonnet-4-5', 'chat claude-sonnet-4-5', 'execute_tool Bash', 'invoke_agent claude'];

type SinkName = 'otlp' | 'phoenix' | 'logfire' | 'langfuse';

/** How each finds its backend. */
const BACKENDS: Readonly<Record<SinkName, (url: string) => Readonly<Record<string, string>>>> = {
  otlp: (url) => ({ OTEL_EXPORTER_OTLP_ENDPOINT: url }),
  phoenix: (url) => ({ PHOENIX_COLLECTOR_ENDPOINT: url }),
  logfire: (url) => ({ LOGFIRE_BASE_URL: url, LOGFIRE_TOKEN: 'pylf_v1_us_0123456789abcdef' }),
  langfuse: (url) => ({
    LANGFUSE_BASE_URL: url,
    LANGFUSE_PUBLIC_KEY: 'pk-lf-0123456789',
    LANGFUSE_SECRET_KEY: 'sk-lf-0123456789',
  }),
};

interface Stay {
  readonly leave: string;
  /** The type of the message at which the program leaves; its result unless given. */
  readonly at?: 'assistant';
  /** Untraced without. */
  readonly collector?: Collector;
  readonly spool?: string;
  /** `otlp` unless given. */
  readonly sink?: SinkName;
}

/** The program from its start to its end. */
async function stay({ leave, at, collector, spool, sink = 'otlp' }: Stay): Promise<Ended> {
  await using project = await makeProject();
  await using api = await startMessagesApi({ rules });
  const extra = {
    LEAVE: leave,
    AT: at ?? 'result',
    SINK: sink,
    ...(collector === undefined ? { UNTRACED: '1' } : BACKENDS[sink](collector.url)),
    ...(spool === undefined ? {} : { SPOOL: spool }),
  };
  const env = cleanEnvironment({ home: project.home, apiUrl: api.url, extra });
  const ended = await runProgram({ node: NODES['24'], file: program('leave.mjs'), cwd: project.cwd, env });
  api.assertAllMatched();
  return ended;
}

async function nextStart(collector: Collector, spool: string, sink: SinkName = 'otlp'): Promise<void> {
  const extra = { ...BACKENDS[sink](collector.url), SINK: sink, SPOOL: spool };
  const env = cleanEnvironment({ home: folder, extra });
  const ended = await runProgram({ node: NODES['24'], file: program('next-start.mjs'), cwd: folder, env });
  expect(ended).toEqual({ code: 0, signal: null, stdout: '', stderr: '' });
}

/** Names of the spans, those that were sent twice once. */
function arrived(collector: Collector): readonly string[] {
  const byId = new Map(collector.spans().map((span) => [span.spanId, span.name]));
  return [...byId.values()].toSorted();
}

describe.each(['process.exit(0)', 'a throw', 'SIGTERM', 'its natural end'])(
  'a program that ends by %s with a spool',
  (leave) => {
    test('ends as it would without tracing, and what was told is there at the latest after the next start', async () => {
      await using spool = await makeProject({});
      await using collector = await startCollector();
      const [traced, untraced] = await Promise.all([stay({ leave, collector, spool: spool.cwd }), stay({ leave })]);
      expect(traced).toEqual(untraced);
      await nextStart(collector, spool.cwd);
      expect(arrived(collector)).toEqual(WHOLE);
    });

    test('ends so also beside a backend that never answers, and the next start sends everything once', async () => {
      await using spool = await makeProject({});
      await using collector = await startCollector();
      collector.behave({ kind: 'hang' });
      const [traced, untraced] = await Promise.all([stay({ leave, collector, spool: spool.cwd }), stay({ leave })]);
      // Who has time to wait is told what did not arrive, and where it is.
      const told = /^spanprism warn: .* 4 records .* in the spool\.\n/;
      const others = { ...traced, stderr: traced.stderr.replace(told, ''), isTold: told.test(traced.stderr) };
      expect(others).toEqual({ ...untraced, isTold: leave === 'its natural end' });
      expect(collector.spans()).toEqual([]);
      collector.recover();
      await nextStart(collector, spool.cwd);
      expect(
        collector
          .spans()
          .map(({ name }) => name)
          .toSorted(),
      ).toEqual(WHOLE);
    });
  },
);

test('a program that exits in the middle of a turn leaves what is open to the next start, ended', async () => {
  await using spool = await makeProject({});
  await using collector = await startCollector();
  const ended = await stay({ leave: 'process.exit(7)', at: 'assistant', collector, spool: spool.cwd });
  expect(ended).toEqual({ code: 7, signal: null, stdout: '', stderr: '' });
  await nextStart(collector, spool.cwd);
  expect(arrived(collector)).toEqual(['chat claude-sonnet-4-5', 'execute_tool Bash', 'invoke_agent claude']);
});

describe.each(['phoenix', 'logfire', 'langfuse'] as const)('through the sink for %s', (sink) => {
  test.each(['process.exit(0)', 'a throw', 'SIGTERM'])('a program that ends by %s loses nothing', async (leave) => {
    await using spool = await makeProject({});
    await using collector = await startCollector();
    collector.behave({ kind: 'hang' });
    const seat = { leave, collector, spool: spool.cwd, sink };
    const [traced, untraced] = await Promise.all([stay(seat), stay({ leave })]);
    expect(traced).toEqual(untraced);
    collector.recover();
    await nextStart(collector, spool.cwd, sink);
    // Beside them Logfire is shown what was only beginning.
    const whole = collector.spans().filter(({ attributes }) => attributes['logfire.span_type'] !== 'pending_span');
    // Langfuse is told the same names without what a kind says already.
    const bare = (names: readonly string[]) => names.map((name) => name.split(' ').at(-1)).toSorted();
    expect(bare(whole.map(({ name }) => name))).toEqual(bare(WHOLE));
  });
});

describe('without a spool', () => {
  test.each(['its natural end', 'SIGTERM'])('a program that ends by %s delivers before it does', async (leave) => {
    await using collector = await startCollector();
    const [traced, untraced] = await Promise.all([stay({ leave, collector }), stay({ leave })]);
    expect(traced).toEqual(untraced);
    expect(
      collector
        .spans()
        .map(({ name }) => name)
        .toSorted(),
    ).toEqual(WHOLE);
  });

  test.each(['its natural end', 'SIGTERM'])('a backend that never answers keeps no program from %s', async (leave) => {
    await using collector = await startCollector();
    collector.behave({ kind: 'hang' });
    const [traced, untraced] = await Promise.all([stay({ leave, collector }), stay({ leave })]);
    expect(traced).toMatchObject({ code: untraced.code, signal: untraced.signal, stdout: '' });
  });
});
