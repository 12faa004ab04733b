// Holds the tables against the recordings: `node from-wire.mjs <folder of recordings> [folder of tables]`.
// What it proves and what it leaves to the reader's eye is said in README.md.
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { dirname, join, resolve } from 'node:path';
import { argv, env, exit, stdout } from 'node:process';
import { fileURLToPath } from 'node:url';
import { inclusiveUsage, readRecording } from './read-recording.mjs';
import { checkTranscript } from './transcript-rows.mjs';
import { checkWire } from './wire-rows.mjs';

const here = argv[3] === undefined ? dirname(fileURLToPath(import.meta.url)) : resolve(argv[3]);
const tokenFields = [
  'inputTokens',
  'cacheReadTokens',
  'cacheWriteTokens',
  'cacheWrite5mTokens',
  'cacheWrite1hTokens',
  'outputTokens',
];
const figures = [...tokenFields, 'costUsd'];
const isTable = (source) => typeof source === 'object';
const same = (left, right) => Math.abs((left ?? 0) - (right ?? 0)) <= 1e-9;
const sum = (list) => list.reduce((total, value) => total + value, 0);

/** The source set whose rows must cover the wire: all there is. */
const widest = (table) => (isTable(table.sources['sdk+cli']) ? table.sources['sdk+cli'] : table.sources.cli);

const checkRow = ({ row, source, call, excused }, say) => {
  const id = `${source} ${row.requestId ?? row.messageId}`;
  if (row.messageId !== null && row.messageId !== call.messageId) say(`${id}: message id`);
  if (row.requestId !== null && row.requestId !== call.requestId) say(`${id}: request id`);
  if (row.agent !== null && row.agent !== call.agent) say(`${id}: agent ${call.agent}`);
  if (row.model !== call.model) say(`${id}: model ${call.model}`);
  if ((row.status === 'ok') !== (call.answered === true)) say(`${id}: status`);
  const wire = call.answered ? inclusiveUsage(call.finalUsage) : undefined;
  if (row.usage === null) {
    const known = source === 'sdk+cli' || source === 'cli' || source === 'transcript' || source === 'wire';
    if (known && wire && !excused(row.requestId, 'usage')) say(`${id}: the wire has final usage`);
    return;
  }
  if (!wire) return say(`${id}: usage of a call that was not answered`);
  for (const [field, value] of Object.entries(row.usage)) {
    if (wire[field] !== value) say(`${id}: ${field} ${value}, wire ${wire[field]}`);
  }
};

/**
 * A failed call on a model that was given up has no id: it is the last request on that model. Where a gateway takes the
 * ids away, telemetry knows an answered call by its figures alone.
 */
const callOfRow = (row, calls) =>
  calls.find((call) => row.requestId !== null && call.requestId === row.requestId) ??
  calls.find((call) => row.messageId !== null && call.messageId === row.messageId) ??
  (row.requestId === null && row.messageId === null
    ? calls.findLast((call) =>
        row.usage === null
          ? call.model === row.model && !call.answered
          : call.finalUsage?.output_tokens === row.usage.outputTokens,
      )
    : undefined);

/** The span or event of a row's call. */
const recordOf = (row, records) =>
  records.find(({ request_id: id, output_tokens: output }) =>
    row.requestId === null ? id === undefined && Number(output) === row.usage?.outputTokens : id === row.requestId,
  );

const checkRows = (table, recording, say) => {
  const excused = (requestId, field) =>
    table.exceptions.some((entry) => entry.requestId === requestId && entry.field === field);
  for (const [source, content] of Object.entries(table.sources)) {
    for (const row of content.llm ?? []) {
      const call = callOfRow(row, recording.calls);
      if (call) checkRow({ row, source, call, excused }, say);
      else say(`${source} ${row.requestId ?? row.messageId}: no such call on the wire`);
    }
  }
};

const checkCoverage = (table, recording, say) => {
  const { llm } = widest(table);
  const rowCalls = new Set(llm.map((row) => callOfRow(row, recording.calls)));
  const without = new Set(table.exceptions.filter(({ field }) => field === 'row').map(({ wireSeq }) => wireSeq));
  for (const call of recording.calls) {
    if (call.answered && !rowCalls.has(call)) say(`wire ${call.wireSeq}: answered, and no row`);
  }
  const attempts = sum(llm.map((row) => row.wireAttempts ?? row.attempts));
  const requests = recording.calls.filter(({ wireSeq }) => !without.has(wireSeq)).length;
  if (attempts !== requests) say(`${attempts} attempts, ${requests} requests`);
};

const checkTelemetry = (table, recording, say) => {
  for (const source of ['cli', 'sdk+cli']) {
    const rows = table.sources[source].llm ?? [];
    const costs = rows.filter(({ costUsd }) => costUsd !== null);
    for (const row of costs) {
      const logged = recordOf(row, recording.apiRequests);
      if (!logged || !same(logged.cost_usd, row.costUsd)) say(`${source} ${row.requestId}: cost`);
    }
    if (!isTable(table.sources[source])) continue;
    if (!same(sum(costs.map(({ costUsd }) => costUsd)), sum(recording.apiRequests.map((log) => log.cost_usd)))) {
      say(`${source}: the costs of the rows do not add up to those of api_request`);
    }
  }
  for (const row of table.sources.cli.llm ?? []) {
    const span = recordOf(row, recording.spans);
    if (row.attempts !== (span ? Math.max(span.attempt, span.attemptEvents) : null))
      say(`cli ${row.requestId}: attempts`);
  }
  if (!isTable(table.sources.cli)) return;
  const named = new Set([...recording.spans, ...recording.apiRequests].map((record) => record.request_id));
  named.delete(undefined);
  const toolIds = [...named].filter((id) => !table.sources.cli.llm.some((row) => row.requestId === id));
  if (toolIds.length > 0) say(`cli: no row for ${toolIds}`);
};

const checkStream = (table, recording, say) => {
  if (!isTable(table.sources.sdk)) return;
  const seen = recording.messages.filter(({ type }) => type === 'assistant');
  for (const row of table.sources.sdk.llm) {
    const blocks = seen.filter((message) => message.request_id === row.requestId);
    if (row.requestId !== null && blocks.length === 0) say(`sdk ${row.requestId}: not in the stream`);
    const isFinal = blocks.some(
      ({ message, aborted }) => message.model !== '<synthetic>' && message.stop_reason && !aborted,
    );
    if (isFinal !== (row.usage !== null)) say(`sdk ${row.requestId}: usage`);
  }
  for (const id of new Set(seen.map((message) => message.request_id).filter((id) => id !== undefined))) {
    if (!table.sources.sdk.llm.some((row) => row.requestId === id)) say(`sdk: no row for ${id}`);
  }
};

/** A retry that was announced, or a stream that was given up for another attempt, is one attempt more. */
const checkAttempts = (table, recording, say) => {
  const announced = recording.messages.filter(({ subtype }) => subtype === 'api_retry').length;
  for (const source of ['sdk', 'sdk+partials'].filter((name) => isTable(table.sources[name]))) {
    const { llm } = table.sources[source];
    const abandoned = recording.messages.filter(
      ({ abandoned_blocks: blocks }) => blocks && !llm.some((row) => row.messageId === blocks.api_message_id),
    );
    const expected = announced + (source === 'sdk' ? 0 : abandoned.length);
    if (sum(llm.map(({ attempts }) => attempts - 1)) !== expected) say(`${source}: ${expected} retries`);
  }
};

/** Both sources together know what the better of them knows, and name what they cannot explain. */
const checkJoin = (table, recording, say) => {
  const both = table.sources['sdk+cli'];
  if (!isTable(both)) return;
  const streams = isTable(table.sources['sdk+partials']) ? table.sources['sdk+partials'] : table.sources.sdk;
  const nameOf = (row) => callOfRow(row, recording.calls)?.wireSeq;
  const rows = [...streams.llm, ...(table.sources.cli.llm ?? [])];
  for (const row of both.llm) {
    const parts = rows.filter((part) => nameOf(part) === nameOf(row));
    const attempts = Math.max(...parts.map((part) => part.attempts ?? 1));
    if (row.attempts !== attempts) say(`sdk+cli ${nameOf(row)}: attempts`);
    const usage = parts.find((part) => part.usage !== null)?.usage ?? null;
    if ((row.usage === null) !== (usage === null)) say(`sdk+cli ${nameOf(row)}: usage`);
  }
  if (new Set(rows.map(nameOf)).size !== both.llm.length) say('sdk+cli: not the union of its sources');
  both.unattributed.forEach((remainder, index) => {
    const explained = remainder === null || remainder === 'unknown';
    if (explained !== (both.issues[index] === null)) say(`sdk+cli interval ${index}: issue`);
  });
};

const resultTotals = (result) => {
  const models = Object.values(result.model_usage_since_last_result ?? result.modelUsage);
  const of = (name) => sum(models.map((model) => model[name]));
  const cacheReadTokens = of('cacheReadInputTokens');
  const cacheWriteTokens = of('cacheCreationInputTokens');
  return {
    inputTokens: of('inputTokens') + cacheReadTokens + cacheWriteTokens,
    cacheReadTokens,
    cacheWriteTokens,
    cacheWrite5mTokens: of('cacheCreationEphemeral5mInputTokens'),
    cacheWrite1hTokens: of('cacheCreationEphemeral1hInputTokens'),
    outputTokens: of('outputTokens'),
    costUsd: of('costUSD'),
  };
};

/** Metrics carry no turn and no query; the batches of a process arrive before its query ends. */
const metricTotals = (recording, query) => {
  const [from, to] = [recording.queryEnds[query - 1] ?? 0, recording.queryEnds[query] ?? Infinity];
  const points = recording.metricPoints.filter(({ receivedAt }) => receivedAt > from && receivedAt <= to);
  if (points.length === 0) return 'unknown';
  const of = (field) => sum(points.filter((point) => point.field === field).map(({ value }) => value));
  return {
    inputTokens: of('input') + of('cacheRead') + of('cacheCreation'),
    cacheReadTokens: of('cacheRead'),
    cacheWriteTokens: of('cacheCreation'),
    outputTokens: of('output'),
    costUsd: of('cost'),
  };
};

const intervalsOf = (table, recording, source) => {
  const intervals = [];
  for (let query = 0; query < table.queries; query += 1) {
    const results = recording.messages.filter((message) => message.type === 'result' && message.query === query);
    const fromMetrics = source === 'sdk' || source === 'sdk+partials' ? 'unknown' : metricTotals(recording, query);
    if (source === 'cli' || results.length === 0) {
      intervals.push({ query, from: -1, to: Infinity, totals: fromMetrics });
      continue;
    }
    results.forEach((result, index) => {
      const from = results[index - 1]?.at ?? -1;
      intervals.push({ query, from, to: result.at, totals: resultTotals(result) });
    });
  }
  return intervals;
};

const checkInterval = ({ interval, rows, content, index, source }, say) => {
  const { [index]: totals } = content.totals;
  const { [index]: remainder } = content.unattributed;
  if (interval.totals === 'unknown') {
    if (totals !== 'unknown' || remainder !== 'unknown') say(`${source} interval ${index}: totals are unknown`);
    return;
  }
  for (const field of figures) {
    if (!same(totals[field], interval.totals[field])) say(`${source} interval ${index}: total ${field}`);
    if (interval.totals[field] === undefined) continue;
    const known = sum(rows.map((row) => (field === 'costUsd' ? row.costUsd : row.usage?.[field]) ?? 0));
    if (!same(remainder?.[field], interval.totals[field] - known)) {
      say(`${source} interval ${index}: ${field} leaves ${interval.totals[field] - known}`);
    }
  }
};

const checkIntervals = (table, recording, say) => {
  for (const [source, content] of Object.entries(table.sources)) {
    if (!isTable(content) || source === 'transcript' || source === 'wire') continue;
    const intervals = intervalsOf(table, recording, source);
    if (content.totals.length !== intervals.length || content.unattributed.length !== intervals.length) {
      say(`${source}: ${intervals.length} intervals`);
    }
    intervals.forEach((interval, index) => {
      const rows = content.llm.filter((row) => {
        const { startedAt, endedAt = startedAt } = callOfRow(row, recording.calls);
        const query = row.turn === null ? 0 : table.turns[row.turn].query;
        return query === interval.query && endedAt > interval.from && endedAt <= interval.to;
      });
      checkInterval({ interval, rows, content, index, source }, say);
    });
  }
};

const llmLine = (row) =>
  [
    `llm ${row.purpose} ${row.requestId ?? row.messageId ?? '-'} ${row.model}`,
    ...(row.usage ? [`in=${row.usage.inputTokens} out=${row.usage.outputTokens}`] : []),
    ...(row.costUsd === null ? [] : [`cost=${row.costUsd.toFixed(6)}`]),
    row.status,
  ].join(' ');

const treeLine =
  /^(agent \S+ \w+|llm \w+ \S+ \S+( in=\d+ out=\d+)?( cost=\d+\.\d{6})? (ok|error|cancelled)|tool \S+ \S+ (ok|error|cancelled|denied)( background)?|permission (allow|deny) (user|host))$/;

const toolIdsOf = ({ messages, spans }) => [
  ...messages
    .filter(({ type, message }) => type === 'assistant' && Array.isArray(message.content))
    .flatMap(({ message }) => message.content.filter((block) => block.type === 'tool_use').map(({ id }) => id)),
  ...spans.filter(({ name }) => name === 'claude_code.tool').map((span) => span.tool_use_id),
];

const checkTree = (table, recording, say) => {
  const lines = readFileSync(join(here, `${table.recording}.tree.txt`), 'utf8')
    .trimEnd()
    .split('\n');
  for (const line of lines.filter((text) => !treeLine.test(text.trim()))) say(`tree: ${line}`);
  const turns = lines.filter((line) => line.startsWith('agent main '));
  const expected = table.turns.map(({ outcome }) => `agent main ${outcome}`);
  if (turns.join() !== expected.join()) say(`tree: turns ${turns}`);
  const inTree = lines.map((line) => line.trim()).filter((line) => line.startsWith('llm '));
  const tools = lines.map((line) => line.trim().split(' ')).filter(([kind]) => kind === 'tool');
  const toolIds = [...new Set(toolIdsOf(recording))];
  if (
    tools
      .map(([, , id]) => id)
      .toSorted()
      .join() !== toolIds.toSorted().join()
  )
    say(`tree: tools ${toolIds}`);
  const inTable = widest(table).llm.map(llmLine);
  if (inTree.toSorted().join() !== inTable.toSorted().join()) say('tree: its calls are not the rows');
};

const checkDifferences = ({ table, recording, differences }, say) => {
  const rowName = (row) => `llm ${row.purpose} ${row.requestId ?? row.messageId ?? `- ${row.model}`}`;
  for (const source of ['sdk', 'cli', 'transcript']) {
    const declared = differences[table.recording]?.[source];
    if (source === 'transcript' && !isTable(table.sources.transcript)) continue;
    if (!declared) return say(`differences: nothing about ${source}`);
    const { llm } = table.sources[source];
    if (llm === undefined) {
      if (declared[0]?.node !== 'everything') say(`differences: ${source} has nothing`);
      continue;
    }
    const there = new Set(llm.map((row) => callOfRow(row, recording.calls)));
    const missing = widest(table)
      .llm.filter((row) => !there.has(callOfRow(row, recording.calls)))
      .map(rowName);
    const absent = declared.filter(({ node, change }) => change === 'absent' && node.startsWith('llm '));
    if (
      missing.toSorted().join() !==
      absent
        .map(({ node }) => node)
        .toSorted()
        .join()
    ) {
      say(`differences: ${source} lacks ${missing}`);
    }
  }
};

const check = (folder, differences) => {
  const mismatches = [];
  const name = folder.split('/').at(-1);
  const say = (text) => mismatches.push(`${name}: ${text}`);
  const path = join(here, `${name}.json`);
  if (!existsSync(path)) return { rows: 0, mismatches: [`${name}: no expectation`] };
  const table = JSON.parse(readFileSync(path, 'utf8'));
  const recording = readRecording(folder);
  checkRows(table, recording, say);
  checkWire({ table, recording, callOfRow, inclusiveUsage }, say);
  checkCoverage(table, recording, say);
  checkTelemetry(table, recording, say);
  checkStream(table, recording, say);
  checkAttempts(table, recording, say);
  checkJoin(table, recording, say);
  checkIntervals(table, recording, say);
  checkTree(table, recording, say);
  checkDifferences({ table, recording, differences }, say);
  checkTranscript({ table, folder }, say);
  return { rows: sum(Object.values(table.sources).map(({ llm }) => llm?.length ?? 0)), mismatches };
};

const root = argv[2] ?? env['SPANPRISM_RECORDINGS'];
if (!root) {
  stdout.write('usage: node from-wire.mjs <folder of recordings> [folder of tables], or set SPANPRISM_RECORDINGS\n');
  exit(2);
}
const differences = JSON.parse(readFileSync(join(here, 'differences.json'), 'utf8'));
const folders = readdirSync(root, { withFileTypes: true })
  .filter((entry) => entry.isDirectory())
  .map((entry) => join(root, entry.name));
const reports = folders.map((folder) => check(folder, differences));
const known = new Set(folders.map((folder) => `${folder.split('/').at(-1)}.json`));
const strays = readdirSync(here).filter(
  (file) => file.endsWith('.json') && !file.endsWith('differences.json') && !known.has(file),
);
const mismatches = [
  ...reports.flatMap((report) => report.mismatches),
  ...strays.map((file) => `${file}: no recording`),
];
for (const mismatch of mismatches) stdout.write(`${mismatch}\n`);
const rows = sum(reports.map((report) => report.rows));
stdout.write(`${folders.length} recordings checked, ${rows} rows, ${mismatches.length} mismatches\n`);
exit(mismatches.length === 0 ? 0 : 1);
