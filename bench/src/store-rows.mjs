import { keyHash } from '../../packages/store/src/key-hash.ts';

/** Tool names, of which two belong to MCP servers. */
const TOOLS = ['Bash', 'Read', 'Edit', 'Grep', 'Write', 'mcp__github__search', 'mcp__db__query', 'Glob'];
const MODELS = ['claude-sonnet-4-5', 'claude-haiku-4-5', 'claude-opus-4-5'];
const SECOND = 1_000_000_000n;
export const SPANS_PER_RUN = 100;

/** The same random numbers in every run of the benchmark. */
function generator(seed) {
  let state = seed;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return (mixed ^ (mixed >>> 14)) >>> 0;
  };
}

const random = generator(7);
const word = () => random().toString(16).padStart(8, '0');
const id = () => word() + word();

/** One run as rows of the store: a turn, its calls and the tools between them. Every twentieth fails. */
export function runRows(index) {
  const isFailed = index % 20 === 0;
  const run = {
    runId: `${word()}-0000-4000-8000-${String(index).padStart(12, '0')}`,
    traceId: id() + id(),
    root: id(),
    project: `project-${index % 40}`,
    // 10,000 runs are three months.
    start: 1_795_251_600n * SECOND + BigInt(index) * 780n * SECOND,
  };
  const rows = [];
  for (let step = 0; step < SPANS_PER_RUN - 1; step++) {
    rows.push(step % 2 === 0 ? callRow(run, index, step) : toolRow(run, index, step, isFailed));
  }
  rows.push(turnRow(run, isFailed));
  return rows;
}

function baseRow(run, step) {
  const startedAt = run.start + BigInt(step) * SECOND;
  return {
    runId: run.runId,
    traceId: run.traceId,
    spanId: id(),
    parentSpanId: run.root,
    status: 0,
    startedAt,
    endedAt: startedAt + (SECOND * 9n) / 10n,
    agent: 'claude',
    errorType: null,
    outcome: null,
    mcpServer: null,
    isTurn: false,
    carriesResults: false,
    figures: null,
    place: null,
  };
}

function callRow(run, index, step) {
  const model = MODELS[(index + (step >> 3)) % MODELS.length];
  const figures = {
    inputTokens: 1000 + (random() % 50_000),
    outputTokens: random() % 900,
    cacheReadTokens: 900,
    cacheWriteTokens: 10,
    costNanoUsd: random() % 40_000_000,
  };
  const key = `llm:req_011${word()}${word()}${word()}`;
  const row = { ...baseRow(run, step), key: keyHash(key), kind: 1, name: model };
  const line = `{"kind":"llm","key":"${key}","spanId":"${row.spanId}","requestModel":"${model}","usage":${JSON.stringify(figures)},"seenBy":["cli"],"events":[],"issues":[],"attributes":{"project":"${run.project}"},"stopReason":"tool_use"}`;
  return { ...row, carriesResults: true, figures, line: Buffer.from(line) };
}

function toolRow(run, index, step, isFailed) {
  const name = TOOLS[(index + step) % TOOLS.length];
  const status = isFailed && step === 15 ? 1 : 0;
  const key = `tool:msg_01${word()}${word()}/toolu_01${word()}${word()}`;
  const row = { ...baseRow(run, step), key: keyHash(key), kind: 2, name };
  const line = `{"kind":"tool","key":"${key}","spanId":"${row.spanId}","toolName":"${name}","input":{"command":"npm test -- ${word()}"},"seenBy":["cli","sdk"],"events":[],"issues":[],"attributes":{"project":"${run.project}"}}`;
  const mcpServer = name.startsWith('mcp__') ? name.split('__')[1] : null;
  return { ...row, status, errorType: status === 1 ? 'ShellError' : null, mcpServer, line: Buffer.from(line) };
}

function turnRow(run, isFailed) {
  const key = `turn:${id()}${id()}`;
  const row = { ...baseRow(run, 0), key: keyHash(key), kind: 0, name: 'claude', spanId: run.root };
  return {
    ...row,
    parentSpanId: null,
    endedAt: run.start + BigInt(SPANS_PER_RUN) * SECOND,
    status: isFailed ? 1 : 0,
    outcome: isFailed ? 'api_error' : 'completed',
    isTurn: true,
    place: { project: run.project, folder: null, user: null, branch: null, tags: [] },
    line: Buffer.from(
      `{"kind":"agent","key":"${key}","spanId":"${row.spanId}","events":[],"issues":[],"attributes":{"project":"${run.project}"}}`,
    ),
  };
}
