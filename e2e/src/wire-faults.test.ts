import workers from 'node:worker_threads';
import { answer, apiError, cut, text, when } from '@spanprism/testkit';
import { expect, test } from 'vitest';
import { checkTrace } from './check-trace.ts';
import { bash, usage } from './replies.ts';
import { type Run, runScenario } from './run-scenario.ts';

const wire = { wire: true } as const;
const fine = answer(text('Finally.'), { usage: usage(1200, 9) });

function calls({ spans }: Run) {
  return spans.filter((span) => span.kind === 'llm').toSorted((a, b) => (a.startedAt < b.startedAt ? -1 : 1));
}

test('attempts that failed are one call, with their errors and request ids', async () => {
  const run = await runScenario({
    prompt: 'hi',
    tracing: wire,
    rules: [when.lastUserText('hi').reply([apiError(529), apiError(529), fine])],
  });
  checkTrace(run, { attempts: ['req_scripted_r1_001', 'req_scripted_r1_002'] });
  await expect(run.tree).toMatchFileSnapshot('./__trees__/retry-529.tree.txt');
  const [call] = calls(run);
  expect(call).toMatchObject({
    attempts: 3,
    events: [
      { name: 'retry', attributes: { attempt: 1, status_code: 529, request_id: 'req_scripted_r1_001' } },
      { name: 'retry', attributes: { attempt: 2, status_code: 529, request_id: 'req_scripted_r1_002' } },
    ],
  });
});

test('a stream that was cut is an attempt', async () => {
  const run = await runScenario({
    prompt: 'hi',
    tracing: wire,
    rules: [
      when.lastUserText('hi').reply([cut({ blocks: [text('This is a partial answer')], usage: usage(1200, 9) }), fine]),
    ],
  });
  checkTrace(run, {
    attempts: ['req_scripted_r1_001'],
    unpriced: ['req_scripted_r1_002'],
    issues: ['unattributed'],
  });
  await expect(run.tree).toMatchFileSnapshot('./__trees__/mid-stream-cut.tree.txt');
  const [call] = calls(run);
  expect(call).toMatchObject({ attempts: 2, usage: { inputTokens: 5500, outputTokens: 9 } });
  expect(run.stats?.wire).toMatchObject({ calls: 2, captured: 2, cut: 1 });
});

test('a request that the API refuses is a call that failed', async () => {
  const run = await runScenario({
    prompt: 'hi',
    tracing: wire,
    env: { CLAUDE_CODE_MAX_RETRIES: '0' },
    rules: [when.lastUserText('hi').reply(apiError(400, { message: 'no such thing' }))],
  });
  const ids = run.calls.map(({ requestId }) => requestId);
  checkTrace(run, { attempts: ids.slice(0, -1), unpriced: ids.slice(-1) });
  await expect(run.tree).toMatchFileSnapshot('./__trees__/fatal-400.tree.txt');
  expect(calls(run)).toMatchObject([{ status: 'error', error: { type: 'invalid_request_error' } }]);
});

test('when the pass-through dies in the middle of an answer, the next attempt gets through on the same port', async () => {
  const threads = watchedThreads();
  const run = await runScenario({
    prompt: 'hi',
    tracing: wire,
    env: { CLAUDE_CODE_MAX_RETRIES: '2' },
    rules: [
      when.lastUserText('hi').reply([
        () => {
          setTimeout(() => void threads.get('spanprism-wire')?.terminate(), 300);
          return answer(text('This answer takes its time and is never heard to its end.'), { perDeltaMs: 200 });
        },
        fine,
      ]),
    ],
  });
  expect(run.messages.at(-1)).toMatchObject({ type: 'result', is_error: false, result: 'Finally.' });
  expect(run.calls).toHaveLength(2);
  expect(run.stats?.wire).toMatchObject({ state: 'piping', failure: { code: 'thread_died' }, lost: 1 });
  expect(run.diagnostics).toMatchObject([
    expect.stringContaining('requests to the model are not captured (thread_died'),
  ]);
  expect(run.stats).toMatchObject({ caught: 0, queries: { open: 0 } });
  const [call] = calls(run);
  expect(call).toMatchObject({ requestId: 'req_scripted_r1_002', attempts: 2, status: 'ok' });
});

test('an upstream that is down is a clean error for the CLI, which tries again', async () => {
  const run = await runScenario({
    tracing: wire,
    rules: [],
    play: async ({ ask, project, options }) => {
      const env = { ...options().env, ANTHROPIC_BASE_URL: 'http://127.0.0.1:9', CLAUDE_CODE_MAX_RETRIES: '1' };
      const { messages } = await ask('hi', { env });
      expect(project.cwd).toBeTruthy();
      expect(messages.at(-1)).toMatchObject({ type: 'result', is_error: true, api_error_status: 502 });
    },
  });
  expect(run.stats?.wire).toMatchObject({ unreachable: 2, captured: 2, lost: 0 });
  expect(calls(run)).toMatchObject([{ status: 'error', attempts: 2, error: { type: 'api_error' } }]);
});

test('a query that outlives its tracing still reaches the model', async () => {
  let last: unknown;
  await runScenario({
    tracing: wire,
    rules: [
      when.toolResult('toolu_1').reply(fine),
      when.lastUserText('hi').reply(answer(bash('toolu_1', 'echo one'), { usage: usage(1200, 9) })),
    ],
    play: async ({ sdk, tracing, options }) => {
      for await (const message of sdk.query({ prompt: 'hi', options: options() })) {
        if (message.type === 'system' && message.subtype === 'init') await tracing?.close(100);
        last = message;
      }
    },
  });
  expect(last).toMatchObject({ type: 'result', is_error: false, result: 'Finally.' });
});

/** Threads that begin from now on, by their names. */
function watchedThreads(): ReadonlyMap<string, workers.Worker> {
  const threads = new Map<string, workers.Worker>();
  const { Worker } = workers;
  workers.Worker = class extends Worker {
    constructor(entry: string | URL, options?: workers.WorkerOptions) {
      super(entry, options);
      threads.set(options?.name ?? '', this);
    }
  };
  return threads;
}
