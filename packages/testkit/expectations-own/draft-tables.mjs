// Drafts a table for each recording from its wire, its results and its telemetry, by the rules of ../expectations/README.md:
// `node draft-tables.mjs [recording …]`. What no figure says (turns, outcomes, attempts that nobody announces) is in `TOLD`.
// Shares no code with the packages. Review each draft by eye, then hold it against the recording with from-wire.mjs.
import { readdirSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { argv } from 'node:process';
import { fileURLToPath } from 'node:url';
import { inclusiveUsage, readRecording } from '../expectations/read-recording.mjs';

const here = dirname(fileURLToPath(import.meta.url));
const root = join(here, '../recordings');
const FIELDS = [
  'inputTokens',
  'cacheReadTokens',
  'cacheWriteTokens',
  'cacheWrite5mTokens',
  'cacheWrite1hTokens',
  'outputTokens',
];
const prompt = (query = 0) => ({ query, outcome: 'completed', resultSeen: true, startedBy: 'prompt' });
const ONE_TURN = [prompt()];
const TOLD = {
  'background-subagent': {
    about: 'A subagent in the background outlives its turn; its notification starts the next.',
    turns: [prompt(), { ...prompt(), startedBy: 'task_notification' }],
  },
  'bad-request': {
    about: 'The API refuses the request with 400.',
    turns: [{ ...prompt(), outcome: 'api_error' }],
    attempts: { sdk: 1, cli: 3, 'sdk+cli': 3, wire: 6 },
  },
  'bash-call': { about: 'One shell command between two calls.' },
  compacted: {
    about: '/compact as a turn of its own between two turns.',
    turns: [prompt(), { ...prompt(), startedBy: 'command' }, prompt()],
    compaction: 1,
  },
  'failing-tools': { about: 'A command that fails, then a file that is not there.' },
  'foreground-subagent': { about: 'A subagent in the foreground with one command.' },
  'forwarded-subagent': { about: 'A subagent whose text is forwarded, with partial messages.' },
  'host-denies': { about: 'The host denies a command.' },
  interrupted: {
    about: 'interrupt() while the first answer streams; the second turn is normal.',
    turns: [{ ...prompt(), outcome: 'interrupted' }, prompt()],
  },
  'mcp-tools': { about: 'Two tools of a server in the process, the second of which fails.' },
  'no-request-ids': { about: 'One shell command, behind a gateway that drops the request-id header.' },
  'overloaded-once': { about: '529, then an answer.' },
  'partials-with-thinking': { about: 'Thinking, text and a command, with partial messages.' },
  'plain-text': { about: 'One answer, no tool, no TRACEPARENT.' },
  'resumed-and-forked': { about: 'A session, resumed and then forked.', turns: [prompt(0), prompt(1), prompt(2)] },
  'three-tools-at-once': { about: 'Three tools in one answer, ending in another order.' },
  'three-turns': {
    about: 'Three turns of one stream without a TRACEPARENT; a steering prompt arrives while a tool of the first runs.',
    turns: [prompt(), prompt(), prompt()],
    traceGroups: [[0], [1], [2]],
  },
};

const sum = (list) => list.reduce((total, value) => total + value, 0);
const exact = (value) => Math.round(value * 1e9) / 1e9;

const resultTotals = (result) => {
  const models = Object.values(result.model_usage_since_last_result ?? result.modelUsage);
  const of = (name) => sum(models.map((model) => model[name] ?? 0));
  const [read, write] = [of('cacheReadInputTokens'), of('cacheCreationInputTokens')];
  return {
    inputTokens: of('inputTokens') + read + write,
    cacheReadTokens: read,
    cacheWriteTokens: write,
    cacheWrite5mTokens: of('cacheCreationEphemeral5mInputTokens'),
    cacheWrite1hTokens: of('cacheCreationEphemeral1hInputTokens'),
    outputTokens: of('outputTokens'),
    costUsd: exact(of('costUSD')),
  };
};

const metricTotals = ({ metricPoints, queryEnds }, query) => {
  const [from, to] = [queryEnds[query - 1] ?? 0, queryEnds[query]];
  const points = metricPoints.filter(({ receivedAt }) => receivedAt > from && receivedAt <= to);
  if (points.length === 0) return 'unknown';
  const of = (field) => sum(points.filter((point) => point.field === field).map(({ value }) => value));
  const [read, write] = [of('cacheRead'), of('cacheCreation')];
  return {
    inputTokens: of('input') + read + write,
    cacheReadTokens: read,
    cacheWriteTokens: write,
    outputTokens: of('output'),
    costUsd: exact(of('cost')),
  };
};

const remainder = (totals, rows) => {
  if (totals === 'unknown') return 'unknown';
  const left = Object.entries(totals).map(([field, total]) => [
    field,
    exact(total - sum(rows.map((row) => (field === 'costUsd' ? row.costUsd : row.usage?.[field]) ?? 0))),
  ]);
  const rest = left.filter(([, value]) => value !== 0);
  return rest.length === 0 ? null : Object.fromEntries(rest);
};

const draft = (name) => {
  const told = { turns: ONE_TURN, ...TOLD[name] };
  const recording = readRecording(join(root, name));
  const results = recording.messages.filter(({ type }) => type === 'result');
  const isLast = recording.calls.findLast(() => true);
  const calls = recording.calls.filter(
    (call) => call.answered || call.startUsage || (told.attempts && call === isLast),
  );
  const launched = new Map();
  const turnOf = (call) => {
    const own = results.findIndex((result) => result.at >= (call.endedAt ?? call.startedAt));
    if (call.agent === 'main') return own;
    if (!launched.has(call.agent)) launched.set(call.agent, own);
    return launched.get(call.agent);
  };
  const failed = recording.calls.filter((call) => !calls.includes(call)).length;
  const idOf = (call) => call.requestId ?? null;
  const logOf = (call) =>
    recording.apiRequests.find(({ request_id: id, output_tokens: output }) =>
      call.requestId === undefined ? Number(output) === call.finalUsage?.output_tokens : id === call.requestId,
    );
  const seen = recording.messages.filter(({ type }) => type === 'assistant');
  const inStream = (call) =>
    seen.some((m) => (call.requestId ? m.request_id === call.requestId : m.message.id === call.messageId));
  const hasPartials = recording.messages.some(({ type }) => type === 'stream_event');
  const inPartials = (call) => hasPartials && call.agent === 'main' && call.answered === true;
  const rowOf = (call, index, source) => {
    const cost = source.includes('cli') ? logOf(call)?.cost_usd : undefined;
    const status = call.answered ? 'ok' : call.startUsage ? 'cancelled' : 'error';
    const knowsUsage =
      call.answered && (source === 'cli' || source === 'sdk+cli' || (source === 'sdk+partials' && inPartials(call)));
    const inclusive = knowsUsage ? inclusiveUsage(call.finalUsage) : undefined;
    const isCompaction = told.compaction === index;
    return {
      requestId: source === 'cli' || inStream(call) || source === 'sdk+cli' ? idOf(call) : null,
      messageId: source === 'cli' || !inStream(call) || status === 'error' ? null : call.messageId,
      agent: call.agent,
      model: call.model,
      purpose: isCompaction ? 'compaction' : 'turn',
      turn: turnOf(call),
      usage: inclusive === undefined ? null : Object.fromEntries(FIELDS.map((field) => [field, inclusive[field]])),
      costUsd: cost === undefined ? null : Number(cost),
      status,
      attempts: told.attempts?.[source] ?? 1 + (index === 0 ? failed : 0),
      ...(told.attempts && source === 'sdk+cli' ? { wireAttempts: told.attempts.wire } : {}),
    };
  };
  const shows = {
    sdk: inStream,
    'sdk+partials': inStream,
    cli: (call) => call.answered || !call.startUsage,
    'sdk+cli': () => true,
  };
  const tableOf = (source) => {
    if (source === 'sdk+partials' && !hasPartials) return 'not recorded';
    const kept = calls.map((call, index) => [call, index]).filter(([call]) => shows[source](call));
    const rows = kept.map(([call, index]) => rowOf(call, index, source));
    const queryOf = (row) => told.turns[row.turn].query;
    const queries = [...new Set(told.turns.map(({ query }) => query))];
    const intervals =
      source === 'cli'
        ? queries.map((query) => [metricTotals(recording, query), rows.filter((row) => queryOf(row) === query)])
        : results.map((result, at) => [
            resultTotals(result),
            rows.filter((_, index) => {
              const [call] = kept[index];
              const ended = call.endedAt ?? call.startedAt;
              return ended <= result.at && ended > (results[at - 1]?.at ?? -1);
            }),
          ]);
    const unattributed = intervals.map(([totals, own]) => remainder(totals, own));
    return {
      llm: rows,
      totals: intervals.map(([totals]) => totals),
      unattributed,
      ...(source === 'sdk+cli' ? { issues: unattributed.map((rest) => (rest === null ? null : 'unattributed')) } : {}),
    };
  };
  return {
    recording: name,
    about: told.about,
    queries: new Set(told.turns.map(({ query }) => query)).size,
    traceGroups: told.traceGroups ?? [told.turns.map((_, index) => index)],
    turns: told.turns,
    sources: Object.fromEntries(['sdk', 'sdk+partials', 'cli', 'sdk+cli'].map((source) => [source, tableOf(source)])),
    exceptions: [],
    notes: [],
  };
};

/** One line for what belongs together, as a reader wants to see it. */
const written = (value, depth = 0) => {
  const flat = JSON.stringify(value);
  if (
    typeof value !== 'object' ||
    value === null ||
    flat.length < 100 ||
    'requestId' in value ||
    'inputTokens' in value
  )
    return flat;
  const pad = '  '.repeat(depth + 1);
  const inner = Array.isArray(value)
    ? value.map((item) => written(item, depth + 1))
    : Object.entries(value).map(([key, item]) => `${JSON.stringify(key)}: ${written(item, depth + 1)}`);
  const [open, close] = Array.isArray(value) ? '[]' : '{}';
  return `${open}\n${pad}${inner.join(`,\n${pad}`)}\n${'  '.repeat(depth)}${close}`;
};

const wanted = argv.slice(2);
for (const name of readdirSync(root).filter(
  (folder) => folder in TOLD && (wanted.length === 0 || wanted.includes(folder)),
)) {
  writeFileSync(join(here, `${name}.json`), `${written(draft(name))}\n`);
}
