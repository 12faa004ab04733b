import { spawn } from 'node:child_process';
import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { mkdir, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Options } from '@anthropic-ai/claude-agent-sdk';
import {
  BasicTracerProvider,
  InMemorySpanExporter,
  type ReadableSpan,
  SimpleSpanProcessor,
} from '@opentelemetry/sdk-trace-base';
import { otlpSink } from '@spanprism/claude-otlp';
import { otelSink } from '@spanprism/claude-otlp/otel';
import { type CaptureOptions, consoleSink, type TracingOptions } from '@spanprism/core';
import { answer, apiError, type Collector, startCollector, text, thinking, toolUse, when } from '@spanprism/testkit';
import { describe, expect, test } from 'vitest';
import { z } from 'zod';
import { agent, bash } from './replies.ts';
import { runScenario, type Sdk, type Stage } from './run-scenario.ts';

const main = when.agent('main');
const sub = when.agent('subagent');

/** Ends with an API error, so that its words reach the call, the turn and the iterator. */
const rules = [
  sub.toolResult('toolu_cat').reply(text('CANARYreport')),
  sub.firstUserText(/CANARYtask/).reply(answer([text('CANARYsubword'), bash('toolu_cat', 'cat CANARYpath.txt')])),
  main.toolResult('toolu_agent').reply(apiError(400, { message: 'CANARYapierror' })),
  main.toolResult('toolu_say').reply(agent('toolu_agent', 'CANARYtask', false)),
  main
    .toolResult('toolu_fail')
    .reply(toolUse({ id: 'toolu_say', name: 'mcp__host__say', input: { word: 'CANARYinput' } })),
  main
    .lastUserText('CANARYprompt')
    .reply(answer([thinking('CANARYthinking'), text('CANARYword'), bash('toolu_fail', 'echo CANARYout; exit 7')])),
];

/** All that the sinks are told of with full capture; no source shows the system prompt. */
const SHOWN = [
  ...['prompt', 'thinking', 'word', 'out', 'input', 'result', 'task', 'subword', 'path', 'file', 'report', 'apierror'],
  'location',
].map((place) => `CANARY${place}`);

function hostTools(sdk: Sdk): Options {
  const say = sdk.tool('say', 'CANARYdescription', { word: z.string() }, async () => ({
    content: [{ type: 'text', text: 'CANARYresult' }],
  }));
  return {
    mcpServers: { host: sdk.createSdkMcpServer({ name: 'host', tools: [say] }) },
    allowedTools: ['Bash', 'Agent', 'mcp__host__say'],
  };
}

async function play({ project, sdk, ask }: Stage): Promise<void> {
  const cwd = join(project.cwd, 'CANARYlocation');
  await mkdir(cwd);
  await writeFile(join(cwd, 'CANARYpath.txt'), 'CANARYfile');
  await ask('CANARYprompt', { cwd, systemPrompt: 'CANARYsystem', ...hostTools(sdk) });
}

interface Variant {
  readonly capture?: CaptureOptions;
  readonly tracing?: Partial<TracingOptions>;
  readonly env?: Readonly<Record<string, string>>;
}

/** What left through each sink, and what was said about it. */
async function leaving({ capture, tracing = {}, env = {} }: Variant): Promise<Readonly<Record<string, string>>> {
  await using protobuf = await startCollector();
  await using json = await startCollector();
  const spool = mkdtempSync(join(tmpdir(), 'spanprism-canary-'));
  const exporter = new InMemorySpanExporter();
  const tracerProvider = new BasicTracerProvider({ spanProcessors: [new SimpleSpanProcessor(exporter)] });
  const lines: string[] = [];
  const diagnostics: string[] = [];
  const diag = (level: string, message: string): void => void diagnostics.push(`${level}: ${message}`);
  const otlp = (name: 'http/protobuf' | 'http/json', { url }: Collector) =>
    otlpSink({
      name,
      protocol: name,
      endpoint: url,
      environment: {},
      diag,
      spool: { directory: spool, mode: 'always' },
    });
  // Records stay on disk until the collectors recover.
  const outage = { kind: 'status', status: 503 } as const;
  for (const collector of [protobuf, json]) collector.behave(outage, { signal: 'traces' });
  const sinks = [
    otlp('http/protobuf', protobuf),
    otlp('http/json', json),
    otelSink({ tracerProvider }),
    consoleSink({ color: false, stream: { write: (line: string) => lines.push(line) } }),
  ];
  let spooled = '';
  try {
    await runScenario({
      rules,
      env: { CLAUDE_CODE_MAX_RETRIES: '0', ...env },
      tracing: { sinks, diag, ...(capture === undefined ? {} : { capture }), ...tracing },
      play: async (stage) => {
        await play(stage);
        await stage.tracing?.flush(4_000).catch(() => undefined);
        spooled = filesBelow(spool);
        for (const collector of [protobuf, json]) collector.recover();
      },
    });
    return {
      protobuf: protobuf.bytes().toString(),
      json: json.bytes().toString(),
      spool: spooled,
      otel: JSON.stringify(exporter.getFinishedSpans().map(readable)),
      console: lines.join(''),
      diagnostics: diagnostics.join('\n'),
    };
  } finally {
    rmSync(spool, { recursive: true, force: true });
  }
}

function filesBelow(folder: string): string {
  const entries = readdirSync(folder, { recursive: true, withFileTypes: true });
  const files = entries.filter((entry) => entry.isFile()).map((entry) => join(entry.parentPath, entry.name));
  return files.map((file) => readFileSync(file, 'utf8')).join('\n');
}

function readable(span: ReadableSpan): unknown {
  const { name, attributes, events, links, status } = span;
  return { name, attributes, events, links, status, context: span.spanContext() };
}

const EVERYTHING_LOGGED = {
  OTEL_LOG_USER_PROMPTS: '1',
  OTEL_LOG_ASSISTANT_RESPONSES: '1',
  OTEL_LOG_TOOL_DETAILS: '1',
  OTEL_LOG_TOOL_CONTENT: '1',
  OTEL_LOG_RAW_API_BODIES: '1',
};

describe('by default no content leaves through any sink', () => {
  const variants: readonly (readonly [string, Variant])[] = [
    ['as it comes', {}],
    ['while the user makes the CLI log all of it', { env: EVERYTHING_LOGGED }],
    ['with the SDK’s hooks', { tracing: { hooks: true } }],
    ['without the CLI’s telemetry', { tracing: { cliTelemetry: 'off' } }],
  ];
  test.each(variants)('%s', async (_, variant) => {
    const left = await leaving(variant);
    for (const [exit, sent] of Object.entries(left)) {
      expect(sent.match(/CANARY\w*/g) ?? [], exit).toEqual([]);
      expect(sent.length, `${exit} was used`).toBeGreaterThan(100);
    }
    // The CLI's own metrics come along wherever its telemetry does.
    expect(left['protobuf']?.includes('claude_code.cost.usage')).toBe(variant.tracing?.cliTelemetry !== 'off');
  });
});

test('with full capture all of it leaves', async () => {
  const left = await leaving({ capture: 'full', env: EVERYTHING_LOGGED });
  for (const exit of ['protobuf', 'json', 'spool', 'otel']) {
    expect(
      SHOWN.filter((canary) => left[exit]?.includes(canary) !== true),
      exit,
    ).toEqual([]);
  }
  expect(left['console']).toContain('CANARYprompt');
  expect(left['diagnostics']).not.toContain('CANARY');
});

test.each([
  ['metadata', []],
  [{ outputs: true }, ['OTEL_LOG_ASSISTANT_RESPONSES']],
  ['full', ['OTEL_LOG_ASSISTANT_RESPONSES']],
] as const)('capture %o has the CLI log %o to us', async (capture, expected) => {
  let seen: Readonly<Record<string, string | undefined>> = {};
  const run = await runScenario({
    prompt: 'hi',
    rules: [main.lastUserText('hi').reply(text('Hello.'))],
    tracing: { capture, sinks: [consoleSink({ stream: { write: () => true } })] },
    options: {
      spawnClaudeCodeProcess: ({ command, args, cwd, env, signal }) => {
        seen = env;
        return spawn(command, args, { cwd, env, signal, stdio: ['pipe', 'pipe', 'ignore'] });
      },
    },
  });
  expect(run.messages.at(-1)).toMatchObject({ type: 'result', is_error: false });
  expect(seen['CLAUDE_CODE_ENABLE_TELEMETRY']).toBe('1');
  expect(Object.keys(seen).filter((name) => name.startsWith('OTEL_LOG_'))).toEqual(expected);
});
