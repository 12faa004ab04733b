import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { mkdir, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { otlpSink } from '@spanprism/claude-otlp';
import { type CaptureOptions, consoleSink } from '@spanprism/core';
import { answer, startCollector, text, thinking, toolUse, when } from '@spanprism/testkit';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { z } from 'zod';
import { agent, bash } from './replies.ts';
import { type Run, runScenario, type Scenario } from './run-scenario.ts';
import { watchingSink } from './watching-sink.ts';

const sub = when.agent('subagent');
const main = when.agent('main');

/** A run with a canary of its own in every place where content is. */
const scenario: Scenario = {
  prompt: 'CANARYprompt',
  rules: [
    sub.toolResult('toolu_cat').reply(text('CANARYsubagenttext')),
    sub
      .firstUserText(/CANARYtask/)
      .reply(answer([text('CANARYsubagentword'), bash('toolu_cat', 'cat CANARYpath.txt')])),
    main.toolResult('toolu_agent').reply(text('CANARYanswer')),
    main.toolResult('toolu_boom').reply(agent('toolu_agent', 'CANARYtask', false)),
    main
      .toolResult('toolu_say')
      .reply(toolUse({ id: 'toolu_boom', name: 'mcp__host__boom', input: { word: 'CANARYinput' } })),
    main
      .toolResult('toolu_fail')
      .reply(toolUse({ id: 'toolu_say', name: 'mcp__host__say', input: { word: 'CANARYmcpinput' } })),
    main
      .lastUserText('CANARYprompt')
      .reply(
        answer([
          thinking('CANARYthinking'),
          text('CANARYword'),
          bash('toolu_fail', 'echo CANARYstdout; echo CANARYstderr >&2; exit 7'),
        ]),
      ),
  ],
};

const planted = [
  ...['prompt', 'system', 'task', 'thinking', 'word', 'answer', 'subagentword', 'path', 'input', 'mcpinput'],
  ...['stdout', 'stderr', 'file', 'mcpresult', 'mcperror', 'location'],
].map((place) => `CANARY${place}`);

let spool: string;
beforeEach(() => {
  spool = mkdtempSync(join(tmpdir(), 'spanprism-spool-'));
});
afterEach(() => {
  rmSync(spool, { recursive: true, force: true });
});

/** All that left or was written, as one text. */
async function everythingSent(capture: CaptureOptions | undefined): Promise<string> {
  await using protobuf = await startCollector();
  await using json = await startCollector();
  await using down = await startCollector();
  down.behave({ kind: 'refuse' });
  const lines: string[] = [];
  const watching = watchingSink(capture ?? 'metadata');
  const quiet = { diag: (_level: string, message: string) => void lines.push(message), environment: {} };
  const sinks = [
    watching,
    consoleSink({ stream: { write: (line: string) => lines.push(line) } }),
    otlpSink({ ...quiet, name: 'protobuf', endpoint: protobuf.url }),
    otlpSink({ ...quiet, name: 'json', endpoint: json.url, protocol: 'http/json', compression: 'none' }),
    otlpSink({ ...quiet, name: 'down', endpoint: down.url, spool: { directory: spool, mode: 'always' } }),
  ];
  const tracing = { sinks, ...(capture === undefined ? {} : { capture }) };
  const run = await runScenario({
    ...scenario,
    sink: watching,
    // One collector is down for good.
    flushMs: 2_000,
    tracing,
    play: async (stage) => {
      const cwd = join(stage.project.cwd, 'CANARYlocation');
      await mkdir(cwd);
      await writeFile(join(cwd, 'CANARYpath.txt'), 'CANARYfile');
      await stage.ask('CANARYprompt', { cwd, systemPrompt: 'CANARYsystem', ...hostTools(stage.sdk) });
    },
  });
  expect(run.spans.filter((span) => span.kind === 'tool')).toHaveLength(5);
  expect(protobuf.spans()).toHaveLength(run.spans.length);
  expect(json.spans()).toHaveLength(run.spans.length);
  return (
    [protobuf.bytes(), json.bytes(), down.bytes(), ...written(spool)].map(String).join('\n') +
    lines.join('\n') +
    toldText(run)
  );
}

function hostTools(sdk: Parameters<NonNullable<Scenario['play']>>[0]['sdk']) {
  const word = { word: z.string() };
  const say = sdk.tool('say', 'says', word, async () => ({ content: [{ type: 'text', text: 'CANARYmcpresult' }] }));
  const boom = sdk.tool('boom', 'throws', word, async () => {
    throw new Error('CANARYmcperror');
  });
  const host = sdk.createSdkMcpServer({ name: 'host', tools: [say, boom] });
  return { mcpServers: { host }, allowedTools: ['Bash', 'Agent', 'mcp__host__say', 'mcp__host__boom'] };
}

function written(folder: string): Buffer[] {
  const entries = readdirSync(folder, { recursive: true, withFileTypes: true });
  return entries.filter((entry) => entry.isFile()).map((entry) => readFileSync(join(entry.parentPath, entry.name)));
}

function toldText({ told }: Run): string {
  return JSON.stringify(told, (_key, value: unknown) => (typeof value === 'bigint' ? String(value) : value));
}

test('by default nothing of the content is in any byte that leaves or is written', async () => {
  const sent = await everythingSent(undefined);
  expect(sent.length).toBeGreaterThan(10_000);
  expect(planted.filter((canary) => sent.includes(canary))).toEqual([]);
  expect(sent).not.toContain('CANARY');
});

test('with full capture all of it is there: the canaries of the other test were alive', async () => {
  const sent = await everythingSent('full');
  const known = planted.filter((canary) => sent.includes(canary));
  // The system prompt is in no source that is on by default.
  expect(known).toEqual(planted.filter((canary) => canary !== 'CANARYsystem'));
});
